import { Partitioners } from 'kafkajs';

/** The partition of a key, as every Kafka client with the default partitioner of the Java client would choose it (murmur2). */
export type PartitionOf = (key: string) => number;

/**
 * For a number of partitions that is counted once: were a topic to grow while we publish, kafkajs would send a wallet's next
 * event elsewhere.
 */
export function partitionsOf(count: number): PartitionOf {
  const choose = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return (key) => choose({ topic: '', partitionMetadata, message: { key, value: null } });
}
