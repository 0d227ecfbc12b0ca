import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  allocate,
  AllocateTokens,
  clearMemberLimits,
  ClearMemberLimits,
  openOrganisation,
  OpenOrganisationWallet,
  removeMember,
  RemoveMember,
  setDefaultLimits,
  SetDefaultLimits,
  setMember,
  SetMember,
  setMemberLimits,
  SetMemberLimits,
  setMembers,
  SetMembers,
} from '@ledger/wallet';
import type { Commanded } from './commanding';
import { OrganisationWallets } from './organisation-wallets';

/** Each handler names one decision; what it says, and why it says no, stands in libs/wallet. */

@CommandHandler(OpenOrganisationWallet)
export class OpenOrganisationWalletHandler implements ICommandHandler<OpenOrganisationWallet> {
  constructor(private readonly organisations: OrganisationWallets) {}
  execute(command: OpenOrganisationWallet): Promise<Commanded> {
    return this.organisations.execute(command, openOrganisation);
  }
}

@CommandHandler(SetMember)
export class SetMemberHandler implements ICommandHandler<SetMember> {
  constructor(private readonly organisations: OrganisationWallets) {}
  execute(command: SetMember): Promise<Commanded> {
    return this.organisations.execute(command, setMember);
  }
}

@CommandHandler(RemoveMember)
export class RemoveMemberHandler implements ICommandHandler<RemoveMember> {
  constructor(private readonly organisations: OrganisationWallets) {}
  execute(command: RemoveMember): Promise<Commanded> {
    return this.organisations.execute(command, removeMember);
  }
}

@CommandHandler(SetMembers)
export class SetMembersHandler implements ICommandHandler<SetMembers> {
  constructor(private readonly organisations: OrganisationWallets) {}
  execute(command: SetMembers): Promise<Commanded> {
    return this.organisations.execute(command, setMembers);
  }
}

@CommandHandler(SetDefaultLimits)
export class SetDefaultLimitsHandler implements ICommandHandler<SetDefaultLimits> {
  constructor(private readonly organisations: OrganisationWallets) {}
  execute(command: SetDefaultLimits): Promise<Commanded> {
    return this.organisations.execute(command, setDefaultLimits);
  }
}

@CommandHandler(SetMemberLimits)
export class SetMemberLimitsHandler implements ICommandHandler<SetMemberLimits> {
  constructor(private readonly organisations: OrganisationWallets) {}
  execute(command: SetMemberLimits): Promise<Commanded> {
    return this.organisations.execute(command, setMemberLimits);
  }
}

@CommandHandler(ClearMemberLimits)
export class ClearMemberLimitsHandler implements ICommandHandler<ClearMemberLimits> {
  constructor(private readonly organisations: OrganisationWallets) {}
  execute(command: ClearMemberLimits): Promise<Commanded> {
    return this.organisations.execute(command, clearMemberLimits);
  }
}

@CommandHandler(AllocateTokens)
export class AllocateTokensHandler implements ICommandHandler<AllocateTokens> {
  constructor(private readonly organisations: OrganisationWallets) {}
  execute(command: AllocateTokens): Promise<Commanded> {
    return this.organisations.execute(command, allocate);
  }
}

export const organisationHandlers = [
  OpenOrganisationWalletHandler,
  SetMemberHandler,
  RemoveMemberHandler,
  SetMembersHandler,
  SetDefaultLimitsHandler,
  SetMemberLimitsHandler,
  ClearMemberLimitsHandler,
  AllocateTokensHandler,
];
