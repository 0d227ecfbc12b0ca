import { WALLET_ID_PATTERN, type WalletCommand, type WalletRef } from '@ledger/wallet';
import type { FastifyInstance, preValidationHookHandler, RouteOptions } from 'fastify';
import { requireAccess } from '../auth/access';
import type { Principal } from '../auth/principal';
import type { Tokens } from '../auth/tokens';
import { tagBodiless, tagEntity } from './entity-tags';
import { contentHashOf, envelopeOf, keyOf } from './envelope';
import type { CommandRequest, OperationSpec } from './operation';
import type { Positions } from './position';
import { type FieldError, validationFailed } from './problem';
import { readQuery } from './query-parameters';
import type { Validators } from './validation/validator';

export interface RegisteredOperation {
  method: string;
  url: string;
  spec: OperationSpec;
}

/** What hooks need of the application. */
export interface HookParts {
  tokens: Tokens;
  positions: Positions;
  validators: Validators;
}

/** Ids that name a wallet; other ids of a path are names that are found or not. */
const WALLET_IDS = ['organisationId', 'userId'];
const NAME_LENGTH_MAX = 64;
const WALLET_ID_MESSAGE = 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ - and not . or ..';

/**
 * Gives every route of the contract its hooks: identity and role before the body is read, then shape, then key. They are
 * Fastify's own, made once per route: guards, pipes and interceptors would cost more than the rest of a usage.
 * Answers the list that the routes are added to; the OpenAPI document is made from it.
 */
export function hookOperations(fastify: FastifyInstance, parts: HookParts): RegisteredOperation[] {
  const operations: RegisteredOperation[] = [];
  for (const name of ['principal', 'command', 'asked']) fastify.decorateRequest(name, null);
  fastify.addHook('onRoute', (route) => {
    const { operation: spec } = (route.config ?? {}) as { operation?: OperationSpec };
    if (spec === undefined) {
      if (/^\/v1(\/|$)/.test(route.url)) throw new Error(`${String(route.method)} ${route.url} has no @Operation: who may call it?`);
      return;
    }
    const operation = { method: String(route.method), url: route.url, spec };
    // A HEAD route that Fastify derives from a GET comes here too, and is the GET's operation.
    if (operation.method !== 'HEAD') operations.push(operation);
    route.onRequest = identify(parts.tokens, spec);
    route.preValidation = check(operation, parts);
    if (operation.method === 'GET') route.onSend = tagEntity;
    // In the place of a hook of Fastify's, which takes the body away before anybody could tag it.
    if (operation.method === 'HEAD') route.onSend = tagBodiless;
  });
  // What is not served tells nothing to who is nobody.
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!request.is404 || !/^\/v1(\/|$|\?)/.test(request.url) || parts.tokens.known(request.headers.authorization)) return done();
    parts.tokens.principal(request.headers.authorization).then(() => done(), done);
  });
  return operations;
}

function identify(tokens: Tokens, { access }: OperationSpec): RouteOptions['onRequest'] {
  return (incoming, reply, done) => {
    const request = incoming as CommandRequest<WalletCommand>;
    // Refusals are for nobody's cache; what is answered is tagged (entity-tags.ts), and to commands not cacheable anyway.
    if (request.method === 'GET') reply.header('cache-control', 'no-store');
    const admit = (who: Principal) => {
      requireAccess(access, who, request.params);
      request.principal = who;
    };
    const { authorization } = request.headers;
    const remembered = tokens.known(authorization);
    if (remembered === undefined) {
      tokens
        .principal(authorization)
        .then(admit)
        .then(() => done(), done);
      return;
    }
    try {
      admit(remembered);
    } catch (error) {
      return done(error as Error);
    }
    done();
  };
}

function check({ method, url, spec }: RegisteredOperation, { positions, validators }: HookParts): preValidationHookHandler {
  const ids = [...url.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const bodyClass = spec.command ?? spec.body;
  const validate = bodyClass && validators.of(bodyClass);
  const mayBeEmpty = spec.bodyOptional === true || method === 'DELETE';
  const query = spec.query ?? {};
  const keyRequired = method === 'POST' && spec.keyless !== true;
  const reads = method === 'GET' || method === 'HEAD';
  const waits = reads || spec.waits === true;
  const build = spec.command && commandOf(spec.command, ids);

  return (incoming, reply, done) => {
    const request = incoming as CommandRequest<WalletCommand>;
    try {
      const errors: FieldError[] = [];
      for (const name of ids) checkId(name, request.params[name]!, errors);
      request.asked = readQuery(query, request.query as Record<string, unknown>, errors);
      if (validate && !(mayBeEmpty && request.body === undefined)) errors.push(...(validate(request.body) ?? []));
      if (errors.length > 0) throw validationFailed(errors);
      if (build) {
        const dry = (request.asked as { dryRun?: boolean }).dryRun === true;
        build(request, dry ? undefined : keyOf(request.headers, keyRequired));
        // What its events carry, so that the auditor can be asked about this very request, also when it is refused.
        reply.header('x-request-id', request.command.envelope.requestId);
      }
    } catch (error) {
      return done(error as Error);
    }
    const position = request.headers['ledger-position'];
    const waited = !waits ? undefined : position === undefined ? reads && positions.own() : positions.reach(String(position));
    if (!waited) return done();
    waited.then(() => done(), done);
  };
}

function checkId(name: string, id: string, errors: FieldError[]): void {
  const isWallet = WALLET_IDS.includes(name);
  if (isWallet ? WALLET_ID_PATTERN.test(id) : id.length >= 1 && id.length <= NAME_LENGTH_MAX) return;
  const message = isWallet ? WALLET_ID_MESSAGE : `must have 1 to ${NAME_LENGTH_MAX} characters`;
  errors.push({ in: 'path', field: `/${name}`, value: id.slice(0, 100), message });
}

/** Builds the command of a route: its fields from the checked body, whose wallet and further ids from the path, its envelope from the headers. */
function commandOf(Command: new () => WalletCommand, [walletId, ...further]: string[]) {
  const kind = walletId === 'organisationId' ? 'organisation' : 'user';
  return (request: CommandRequest<WalletCommand>, key: string | undefined): void => {
    const { params, headers, principal } = request;
    const command = Object.assign(new Command(), request.body);
    const wallet: WalletRef = { kind, id: params[walletId!]! };
    const contentHash = key === undefined ? undefined : contentHashOf(Command.name, params, request.body);
    command.wallet = wallet;
    command.envelope = envelopeOf(principal, headers, key, contentHash);
    for (const name of further) (command as unknown as Record<string, unknown>)[name] = params[name];
    request.command = command;
  };
}
