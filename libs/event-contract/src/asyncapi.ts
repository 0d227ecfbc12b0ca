import { EVENT_TYPES, type EventType, ORGANISATION_EVENT_TYPES, SCHEMA, USER_EVENT_TYPES } from '@ledger/wallet';
import { CONTENT_TYPE, messageType, SKIPPED_TYPE } from './message';
import { DESCRIBED } from './schemas/described';
import { BALANCE_SCHEMA, HEADERS_SCHEMA, SKIPPED_SCHEMA } from './schemas/schemas';
import { type TopicDefaults, TOPICS } from './topics';

/** The AsyncAPI 3 document: which topic carries which messages. The schemas stand beside it in files of their own. */

type Document = Record<string, unknown>;

const BINDING = '0.5.0';
const REPLICAS = 3;
/** Of the contract, not of the ledger: the second number grows with every addition. */
const CONTRACT_VERSION = '1.0.0';

const schemaAt = (name: string): Document => ({ $ref: `./schemas/${name}.json` });
const STREAM_KEY = { type: 'string', description: 'The stream of the wallet', examples: ['userWallet-u1', 'organisationWallet-acme'] };
const WALLET_KEY = { type: 'string', description: 'The wallet', examples: ['user:u1', 'organisation:acme'] };
const keyed = (key: Document): Document => ({ kafka: { key, bindingVersion: BINDING } });

const message = (name: string, summary: string, payload: string, key: Document, more: Document = {}): Document => ({
  name,
  title: name,
  summary,
  contentType: CONTENT_TYPE,
  payload: schemaAt(payload),
  bindings: keyed(key),
  ...more,
});

const eventTraits = { headers: schemaAt(HEADERS_SCHEMA.name), correlationId: { $ref: '#/components/correlationIds/correlation' } };

const ownersOf = (type: EventType): string => {
  const owners = [
    ...((ORGANISATION_EVENT_TYPES as readonly string[]).includes(type) ? ['organisations'] : []),
    ...((USER_EVENT_TYPES as readonly string[]).includes(type) ? ['users'] : []),
  ];
  return `Of ${owners.join(' and ')}.`;
};

const eventMessages = (): [name: string, message: Document][] =>
  [...EVENT_TYPES]
    .sort()
    .map((type) => [
      type,
      message(messageType(type, SCHEMA), `${DESCRIBED[type]} ${ownersOf(type)}`, `${type}.v${SCHEMA}`, STREAM_KEY, eventTraits),
    ]);

const messages = (): Record<string, Document> => ({
  ...Object.fromEntries(eventMessages()),
  Skipped: message(SKIPPED_TYPE, 'In the place of an event that could not be published.', SKIPPED_SCHEMA.name, STREAM_KEY, eventTraits),
  WalletBalance: message('ledger.WalletBalance', 'The balance of a wallet right after one event.', BALANCE_SCHEMA.name, WALLET_KEY),
});

const refs = (names: readonly string[], to: (name: string) => string): Document =>
  Object.fromEntries(names.map((name) => [name, { $ref: to(name) }]));

/** Retention without end is said by -1, which the binding has no place for beside text. */
function channel({ name, partitions, config }: TopicDefaults, description: string, names: readonly string[]): Document {
  const { 'cleanup.policy': policy = 'delete', 'retention.ms': retention } = config;
  const topicConfiguration = { 'cleanup.policy': [policy], ...(retention === undefined ? {} : { 'retention.ms': Number(retention) }) };
  return {
    address: name,
    description,
    messages: refs(names, (each) => `#/components/messages/${each}`),
    bindings: { kafka: { topic: name, partitions, replicas: REPLICAS, topicConfiguration, bindingVersion: BINDING } },
  };
}

const sending = (channelName: string, summary: string, names: readonly string[]): Document => ({
  action: 'send',
  channel: { $ref: `#/channels/${channelName}` },
  summary,
  messages: names.map((name) => ({ $ref: `#/channels/${channelName}/messages/${name}` })),
});

export function asyncApiDocument(): Document {
  const names = [...eventMessages().map(([name]) => name), 'Skipped'];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Token ledger: events',
      version: CONTRACT_VERSION,
      description:
        'Every change of every wallet, exactly once, in order per wallet. Read with isolation level read_committed; ' +
        'keep the last revision of every wallet together with what you made of it. See consumers.md.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: CONTENT_TYPE,
    servers: { kafka: { host: '{brokers}', protocol: 'kafka', variables: { brokers: { default: 'localhost:9092' } } } },
    channels: {
      walletEvents: channel(TOPICS.events, 'Every event of every wallet, kept for ever. In order per key, not across keys.', names),
      walletBalances: channel(TOPICS.balances, 'The balance of every wallet; compacted to the last one per key.', ['WalletBalance']),
    },
    operations: {
      publishWalletEvents: sending('walletEvents', 'The ledger tells what happened.', names),
      publishWalletBalances: sending('walletBalances', 'The ledger tells what a wallet holds now.', ['WalletBalance']),
    },
    components: {
      correlationIds: {
        correlation: { description: 'What belongs together, as the first caller named it', location: '$message.header#/ce_correlationid' },
      },
      messages: messages(),
    },
  };
}
