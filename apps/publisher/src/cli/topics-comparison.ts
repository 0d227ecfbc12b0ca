import { setTimeout as pause } from 'node:timers/promises';
import { type Admin, ConfigResourceTypes } from 'kafkajs';
import type { WantedTopic } from './topics-plan';

/** A topic as it is. */
export interface FoundTopic {
  readonly name: string;
  readonly partitions: number;
  /** The fewest that any partition has. */
  readonly copies: number;
  readonly config: ReadonlyMap<string, string>;
}

/** Those of the named topics that exist. */
export async function findTopics(admin: Admin, names: readonly string[]): Promise<Map<string, FoundTopic>> {
  const all = new Set(await admin.listTopics());
  const here = names.filter((name) => all.has(name));
  if (here.length === 0) return new Map();
  const { topics } = await admin.fetchTopicMetadata({ topics: here });
  const resources = here.map((name) => ({ type: ConfigResourceTypes.TOPIC, name }));
  const described = await admin.describeConfigs({ resources, includeSynonyms: false });
  return new Map(
    topics.map(({ name, partitions }) => {
      const entries = described.resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? [];
      return [
        name,
        {
          name,
          partitions: partitions.length,
          copies: Math.min(...partitions.map(({ replicas }) => replicas.length)),
          config: new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
        },
      ];
    }),
  );
}

const LED_MAX_MS = 30_000;
const LED_POLL_MS = 50;

/** Resolves when every partition of the topics has a leader. @throws after half a minute */
export async function untilLed(admin: Admin, names: readonly string[]): Promise<void> {
  for (const end = Date.now() + LED_MAX_MS; ; await pause(LED_POLL_MS))
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
      if (topics.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0))) return;
      if (Date.now() > end) throw new Error(`${names.join(', ')} were made, and have no leaders after ${LED_MAX_MS / 1000} s.`);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
}

/** What is not as it should be, as parts of a sentence. More copies than wanted do no harm. */
export function differences(wanted: WantedTopic, found: FoundTopic): string[] {
  const parts: string[] = [];
  if (found.partitions !== wanted.partitions)
    parts.push(
      `it has ${found.partitions} partitions, not ${wanted.partitions} (never change that of a topic in use: the order of a wallet ` +
        `hangs on it; give --partitions ${found.partitions} if it is meant)`,
    );
  if (found.copies < wanted.copies) parts.push(`a partition has ${found.copies} copies, not ${wanted.copies}`);
  for (const [name, value] of Object.entries(wanted.config)) {
    const is = found.config.get(name);
    if (is !== value) parts.push(`${name} is ${is ?? 'unknown'}, not ${value}`);
  }
  return parts;
}
