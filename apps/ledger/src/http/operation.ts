import { RouteConfig } from '@nestjs/platform-fastify';
import type { WalletCommand } from '@ledger/wallet';
import type { FastifyRequest } from 'fastify';
import type { Access } from '../auth/access';
import type { Principal } from '../auth/principal';
import type { AnswerName } from './answer-schemas';
import type { ProblemCode } from './problem-codes';
import type { Asked, QueryShape } from './query-parameters';
import type { BodyClass } from './validation/schemas';

/** What a route is, said once: its hooks (operation-hooks.ts) and its part of the OpenAPI document are made from this. */
export interface OperationSpec {
  summary: string;
  access: Access;
  /** The body is this command; who is asked comes from the path and the token. */
  command?: new () => WalletCommand;
  /** The body of what is no command. */
  body?: BodyClass;
  /** All fields may be left out, and so may the body. */
  bodyOptional?: boolean;
  query?: QueryShape;
  /** POST with this: no key is needed. */
  keyless?: boolean;
  /** A command that first waits for the Ledger-Position of its request; every GET does. */
  waits?: boolean;
  answers: Readonly<Record<number, AnswerName>>;
  /** A page that is also given as text/csv, to who prefers it. */
  csv?: true;
  /** Server-sent events instead of JSON; it resumes with Last-Event-ID. */
  stream?: true;
  /** Codes beyond those that every operation of its kind can answer. */
  refusals?: readonly ProblemCode[];
}

/** Declares what a route is. A route under /v1 without it stops the start. */
export const Operation = (spec: OperationSpec): MethodDecorator => RouteConfig({ operation: spec });

/** The request as controllers see it, after its hooks: who asks, which ids, and what was asked, all checked. */
export interface LedgerRequest<Shape extends QueryShape = QueryShape> extends FastifyRequest {
  params: Record<string, string>;
  principal: Principal;
  asked: Asked<Shape>;
}
export interface CommandRequest<Command extends WalletCommand, Shape extends QueryShape = QueryShape> extends LedgerRequest<Shape> {
  command: Command;
}
