import type { UserWallet } from '@ledger/wallet';
import { userKind } from './kept';
import type { OrganisationWallets } from './organisation-wallets';
import { Wallets, type WalletsContext } from './wallets';

export class UserWallets extends Wallets<UserWallet> {
  constructor(
    context: WalletsContext,
    private readonly organisations: OrganisationWallets,
  ) {
    super(userKind, context);
  }

  protected override policiesFor(userId: string) {
    return async (organisationIds: readonly string[], attempt: { policies: Map<string, unknown> }): Promise<void> => {
      const keep = (id: string) => this.organisations.policy(id, userId).then((policy) => attempt.policies.set(id, policy));
      await Promise.all(organisationIds.map(keep));
    };
  }
}
