import { type OrganisationWallet, type Policy, policyFor, streamOf } from '@ledger/wallet';
import { organisationKind } from './kept';
import { Wallets, type WalletsContext } from './wallets';

export class OrganisationWallets extends Wallets<OrganisationWallet> {
  constructor(context: WalletsContext) {
    super(organisationKind, context);
  }

  /**
   * What the organisation lets a user do, as of the head of its stream by a read issued after this call; null when it has no
   * wallet. The draws that wait here at one time share one such read.
   */
  async policy(organisationId: string, userId: string): Promise<Policy | null> {
    const stream = streamOf({ kind: 'organisation', id: organisationId });
    const { result } = await this.mailboxes.ask(stream, ({ wallet }) => ({ events: [], result: policyFor(wallet, userId) }));
    return result;
  }
}
