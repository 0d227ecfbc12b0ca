import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { UseTokens } from '@ledger/wallet';
import { localKey, signToken } from '../../apps/ledger/src/auth/local-key';
import { createLedger } from '../../apps/ledger/src/create-ledger';
import { contentHashOf } from '../../apps/ledger/src/http/envelope';
import { newLog } from '../../apps/ledger/src/operations/log';
import { readSettings } from '../../apps/ledger/src/settings';
import { UseTokensHandler } from '../../apps/ledger/src/wallets/user-handlers';
import { closedLoop } from './generator';
import { type Scenario, USAGE, visiting } from './scenarios';

/** The whole service in this process, read model and settlement included, whose handlers are called without HTTP. */
export class LedgerInProcess {
  private constructor(
    readonly url: string,
    readonly token: string,
    private readonly app: NestFastifyApplication,
  ) {}

  /** It listens as well: wallets are funded, and their totals read, in the same way as those of the service. */
  static async start(dataDir: string): Promise<LedgerInProcess> {
    const app = await createLedger(readSettings({ DATA_DIR: dataDir }), newLog('warn'));
    await app.listen({ port: 0, host: '127.0.0.1' });
    const token = await signToken(await localKey(dataDir), { sub: 'platform', role: 'platform' }, 1);
    return new LedgerInProcess(await app.getUrl(), token, app);
  }

  /** Complete commands, as the HTTP layer would have made them: keys and content hashes are part of the work. */
  scenarios(inFlight: number, members: readonly string[], hot: string): Scenario[] {
    const handler = this.app.get(UseTokensHandler, { strict: false });
    let keys = 0;
    const use = async (userId: string): Promise<number> => {
      const contentHash = contentHashOf(UseTokens.name, { userId }, USAGE);
      const key = `in-process-${keys++}`;
      const envelope = { actor: 'platform', role: 'platform', requestId: key, correlationId: key, key, contentHash };
      await handler.execute(Object.assign(new UseTokens(), USAGE, { wallet: { kind: 'user' as const, id: userId }, envelope }));
      return 201;
    };
    const scenario = (name: Scenario['name'], what: string, memberOf: () => string): Scenario => ({
      name,
      what,
      status: 201,
      charges: 1,
      run: (seconds) => closedLoop(inFlight, seconds, () => use(memberOf())),
    });
    return [
      scenario('inProcess', `usage spread over ${members.length} wallets, in process`, visiting(members)),
      scenario('inProcessHot', 'usage of one hot wallet, in process', () => hot),
    ];
  }

  stop(): Promise<void> {
    return this.app.close();
  }
}
