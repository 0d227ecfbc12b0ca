import { Injectable } from '@nestjs/common';
import { allocate, AllocateTokens, setMembers, SetMembers, use, UseTokens, type WalletCommand, type WalletEvent } from '@ledger/wallet';
import { Previews } from './commanding';
import { OrganisationWallets } from './organisation-wallets';
import { UserWallets } from './user-wallets';

/** Dry runs and affordability: the same decisions as of the handlers, and nothing is written. */
@Injectable()
export class DecidedPreviews extends Previews {
  constructor(
    private readonly organisations: OrganisationWallets,
    private readonly users: UserWallets,
  ) {
    super();
  }

  preview(command: WalletCommand): Promise<WalletEvent[]> {
    if (command instanceof AllocateTokens) return this.organisations.preview(command, allocate);
    if (command instanceof SetMembers) return this.organisations.preview(command, setMembers);
    if (command instanceof UseTokens) return this.users.preview(command, use);
    throw new TypeError(`${command.constructor.name} has no preview`);
  }
}
