/**
 * The topics that the ledger writes (design section 4, Publisher). The names are defaults of settings; whoever renames a topic
 * renames it for its readers too.
 */

/** What a topic is made with, beside replication and `min.insync.replicas`, which depend on the cluster. */
export interface TopicDefaults {
  readonly name: string;
  readonly partitions: number;
  /** Settings of the topic as Kafka names them. */
  readonly config: Readonly<Record<string, string>>;
}

/** Order holds per wallet: a wallet's key always falls into one partition, as long as their number never changes. */
export const PARTITIONS = 12;

const UNLIMITED = '-1';

export const TOPICS = {
  /** Every event of every wallet, kept for ever: a reader may begin at the beginning. Key: the stream. */
  events: {
    name: 'ledger.wallet-events.v1',
    partitions: PARTITIONS,
    config: { 'cleanup.policy': 'delete', 'retention.ms': UNLIMITED, 'retention.bytes': UNLIMITED },
  },
  /** The balance of every wallet as it is now. Key: the wallet. */
  balances: { name: 'ledger.wallet-balances.v1', partitions: PARTITIONS, config: { 'cleanup.policy': 'compact' } },
  /** The publisher's own: how far it has come. */
  checkpoint: { name: 'ledger.publisher-checkpoint.v1', partitions: 1, config: { 'cleanup.policy': 'compact' } },
} as const satisfies Record<string, TopicDefaults>;
