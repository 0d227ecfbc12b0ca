import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Refusal, type WalletCommand } from '@ledger/wallet';
import type { FastifyReply } from 'fastify';
import { Metrics } from '../operations/metrics';
import { ReadModel } from '../views/read-model';
import type { Commanded } from '../wallets/commanding';
import { POSITION_WAIT_MS, Positions } from './position';
import { Problem } from './problem';

/** Sends commands to the bus and puts on the answer what every command's answer carries. */
@Injectable()
export class Commands {
  constructor(
    private readonly bus: CommandBus,
    private readonly positions: Positions,
    private readonly readModel: ReadModel,
    private readonly metrics: Metrics,
  ) {}

  async send(command: WalletCommand, reply: FastifyReply): Promise<Commanded> {
    const commanded = await this.execute(command);
    if (commanded.replayed) reply.header('idempotency-replayed', 'true');
    const position = this.positions.of(commanded);
    const header = typeof position === 'string' ? position : await position;
    if (header !== undefined) reply.header('ledger-position', header);
    return commanded;
  }

  /** Sends a command and counts what became of it; for what has no reply of its own. */
  async execute(command: WalletCommand): Promise<Commanded> {
    const type = command.constructor.name;
    try {
      const commanded = await this.bus.execute<WalletCommand, Commanded>(command);
      this.metrics.commanded(type, commanded.replayed ? 'replayed' : 'accepted');
      return commanded;
    } catch (error) {
      this.metrics.commanded(type, error instanceof Refusal ? 'refused' : 'failed');
      throw error;
    }
  }

  /** Sends a command whose answer is the resource as it is now: waits until this instance has read that far. */
  async change(command: WalletCommand, reply: FastifyReply): Promise<Commanded> {
    const commanded = await this.send(command, reply);
    if (await this.readModel.reached(commanded.position, POSITION_WAIT_MS)) return commanded;
    throw new Problem(
      'POSITION_NOT_REACHED',
      'The change is stored, but this instance has not read it yet: get the resource a little later.',
      { stored: true },
    );
  }
}
