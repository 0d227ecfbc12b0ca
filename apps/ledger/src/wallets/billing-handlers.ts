import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  AccrueStorage,
  accrueStorageForOrganisation,
  accrueStorageForUser,
  ChargeBill,
  chargeBillForOrganisation,
  chargeBillForUser,
} from '@ledger/wallet';
import type { Commanded } from './commanding';
import { OrganisationWallets } from './organisation-wallets';
import { UserWallets } from './user-wallets';

/** What owners are billed for; both kinds of wallet know it. */

@CommandHandler(ChargeBill)
export class ChargeBillHandler implements ICommandHandler<ChargeBill> {
  constructor(
    private readonly organisations: OrganisationWallets,
    private readonly users: UserWallets,
  ) {}
  execute(command: ChargeBill): Promise<Commanded> {
    if (command.wallet.kind === 'user') return this.users.execute(command, chargeBillForUser);
    return this.organisations.execute(command, chargeBillForOrganisation);
  }
}

@CommandHandler(AccrueStorage)
export class AccrueStorageHandler implements ICommandHandler<AccrueStorage> {
  constructor(
    private readonly organisations: OrganisationWallets,
    private readonly users: UserWallets,
  ) {}
  execute(command: AccrueStorage): Promise<Commanded> {
    if (command.wallet.kind === 'user') return this.users.execute(command, accrueStorageForUser);
    return this.organisations.execute(command, accrueStorageForOrganisation);
  }
}

export const billingHandlers = [ChargeBillHandler, AccrueStorageHandler];
