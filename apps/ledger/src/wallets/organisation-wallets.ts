import { type OrganisationWallet, type Policy, policyFor, streamOf } from '@ledger/wallet';
import { organisationKind } from './kept';
import { Wallets, type WalletsContext } from './wallets';

/** Draws that wait for one look at their organisation: the users, and in the same order what they may. */
interface Look {
  userIds: string[];
  policies: Promise<(Policy | null)[]>;
}

export class OrganisationWallets extends Wallets<OrganisationWallet> {
  /** Looks that were asked for and have not been decided yet, by stream: others may join them. */
  private readonly looks = new Map<string, Look>();

  constructor(context: WalletsContext) {
    super(organisationKind, context);
  }

  /**
   * What the organisation lets a user do, as of the head of its stream by a read issued after this call; null when it has no
   * wallet. The draws that wait here at one time share one such read.
   */
  policy(organisationId: string, userId: string): Promise<Policy | null> {
    const stream = streamOf({ kind: 'organisation', id: organisationId });
    let look = this.looks.get(stream);
    if (look === undefined) this.looks.set(stream, (look = this.look(stream)));
    const place = look.userIds.push(userId) - 1;
    return look.policies.then((policies) => policies[place] ?? null);
  }

  private look(stream: string): Look {
    const userIds: string[] = [];
    // The read that confirms an answer is issued after the ask was decided: whoever comes later needs another look.
    const close = () => {
      if (this.looks.get(stream)?.userIds === userIds) this.looks.delete(stream);
    };
    const asked = this.mailboxes.ask(stream, ({ wallet }) => {
      close();
      return { events: [], result: userIds.map((userId) => policyFor(wallet, userId)) };
    });
    // One that failed before it was decided must not be joined either.
    return { userIds, policies: asked.then(({ result }) => result).finally(close) };
  }
}
