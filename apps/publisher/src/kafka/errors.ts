import { Halt } from '../sink/halt';
import { MessagesTooLarge, SinkFenced, SinkUnavailable } from '../sink/message-sink';

/**
 * What kafkajs throws, in the words of the port. Its own class names say whether *it* would try again, which is no use here: the
 * code of Kafka's answer decides, and it may stand several causes deep.
 */

/** Kafka answers 90 to newer clients only; kafkajs would not know it by name. */
const FENCED = ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'Unknown error code 90'];
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];
const NOT_ALLOWED = [
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
];

/** Names and texts of an error and its causes. kafkajs keeps a cause in `cause`, which may be the error itself. */
export function words(error: unknown): string[] {
  const found: string[] = [];
  const seen = new Set<unknown>();
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    const { type } = at as { type?: unknown };
    if (typeof type === 'string') found.push(type);
    found.push(at.name, at.message);
  }
  return found;
}

const says = (error: unknown, texts: readonly string[]): boolean => words(error).some((word) => texts.includes(word));

/** The transaction before is not yet wound up; nothing was written. */
export const isConcurrentTransactions = (error: unknown): boolean => says(error, ['CONCURRENT_TRANSACTIONS']);

export const isMissingTopic = (error: unknown): boolean => says(error, ['UNKNOWN_TOPIC_OR_PARTITION']);

/**
 * A broker that is asked by a publisher whose rival is just taking over may answer UNKNOWN_SERVER_ERROR instead of a fencing: seen
 * on Apache Kafka 4.4. Going to stand by then costs a little time; taking over at once could fence the rival, and so on for ever.
 */
const isPerhapsFenced = (error: unknown): boolean => says(error, ['UNKNOWN', 'UNKNOWN_SERVER_ERROR']);

/** @returns what the port throws instead */
export function inWordsOfThePort(error: unknown, doing: string): Error {
  if (error instanceof Halt || error instanceof SinkFenced || error instanceof SinkUnavailable || error instanceof MessagesTooLarge)
    return error;
  if (says(error, FENCED) || isPerhapsFenced(error)) return new SinkFenced({ cause: error });
  if (says(error, TOO_LARGE)) return new MessagesTooLarge({ cause: error });
  const refused = NOT_ALLOWED.find((type) => says(error, [type]));
  if (refused) {
    const sentence = `Kafka refuses this user while ${doing}: ${refused}. docs/operations/kafka.md lists the rights that it needs.`;
    return new SinkUnavailable(sentence, { cause: error });
  }
  if (says(error, ['KafkaJSSASLAuthenticationError']))
    return new SinkUnavailable('Kafka refuses the user or password of KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.', { cause: error });
  return new SinkUnavailable(`Kafka did not do as it should while ${doing}: ${reasonOf(error)}`, { cause: error });
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
