import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  purchaseForOrganisation,
  purchaseForUser,
  PurchaseTokens,
  receiveAllocation,
  ReceiveAllocation,
  reverse,
  ReverseUsage,
  setFreeAllowance,
  SetFreeAllowance,
  use,
  UseTokens,
} from '@ledger/wallet';
import type { Commanded } from './commanding';
import { OrganisationWallets } from './organisation-wallets';
import { UserWallets } from './user-wallets';

/** Handlers of users' wallets, and of the purchase, which both kinds of wallet know. */

@CommandHandler(PurchaseTokens)
export class PurchaseTokensHandler implements ICommandHandler<PurchaseTokens> {
  constructor(
    private readonly organisations: OrganisationWallets,
    private readonly users: UserWallets,
  ) {}
  execute(command: PurchaseTokens): Promise<Commanded> {
    if (command.wallet.kind === 'user') return this.users.execute(command, purchaseForUser);
    return this.organisations.execute(command, purchaseForOrganisation);
  }
}

@CommandHandler(SetFreeAllowance)
export class SetFreeAllowanceHandler implements ICommandHandler<SetFreeAllowance> {
  constructor(private readonly users: UserWallets) {}
  execute(command: SetFreeAllowance): Promise<Commanded> {
    return this.users.execute(command, setFreeAllowance);
  }
}

@CommandHandler(ReceiveAllocation)
export class ReceiveAllocationHandler implements ICommandHandler<ReceiveAllocation> {
  constructor(private readonly users: UserWallets) {}
  execute(command: ReceiveAllocation): Promise<Commanded> {
    return this.users.execute(command, receiveAllocation);
  }
}

@CommandHandler(UseTokens)
export class UseTokensHandler implements ICommandHandler<UseTokens> {
  constructor(private readonly users: UserWallets) {}
  execute(command: UseTokens): Promise<Commanded> {
    return this.users.execute(command, use);
  }
}

@CommandHandler(ReverseUsage)
export class ReverseUsageHandler implements ICommandHandler<ReverseUsage> {
  constructor(private readonly users: UserWallets) {}
  execute(command: ReverseUsage): Promise<Commanded> {
    return this.users.execute(command, reverse);
  }
}

export const userHandlers = [
  PurchaseTokensHandler,
  SetFreeAllowanceHandler,
  ReceiveAllocationHandler,
  UseTokensHandler,
  ReverseUsageHandler,
];
