import { join } from 'node:path';
import { EVENT_TYPES } from '@ledger/wallet';
import { fromFile, Parser } from '@asyncapi/parser';
import { ASYNCAPI_FILE, asyncApiNow, readAsyncApi } from './cli/contract-files';
import { TOPICS } from './topics';

const ERROR_OR_WARNING = 1;

describe('docs/events/asyncapi.yaml', () => {
  it('is what the code says (`npm run contract` writes it)', () => {
    expect(readAsyncApi()).toEqual(asyncApiNow());
  });

  it('is valid AsyncAPI 3, with every schema found, and names every type of event', async () => {
    const { document, diagnostics } = await fromFile(new Parser(), join(__dirname, '../../..', ASYNCAPI_FILE)).parse();
    expect(diagnostics.filter(({ severity }) => Number(severity) <= ERROR_OR_WARNING)).toEqual([]);
    const channels = document?.allChannels().all() ?? [];
    expect(channels.map((channel) => channel.address()).sort()).toEqual([TOPICS.balances.name, TOPICS.events.name]);
    const messages = document?.allMessages().all() ?? [];
    const names = messages.map((message) => message.name());
    expect([...new Set(names)].sort()).toEqual(
      [...EVENT_TYPES.map((type) => `ledger.${type}.v1`), 'ledger.WalletBalance', 'ledger.skipped.v1'].sort(),
    );
    for (const message of messages) {
      // The schema of the payload was found and is the one of this message.
      expect(message.payload()?.json()).toMatchObject({ $id: expect.stringMatching(/^urn:token-ledger:/) as unknown, type: 'object' });
      expect(message.bindings().get('kafka')?.json()).toHaveProperty('key');
    }
  });
});
