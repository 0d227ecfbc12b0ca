import type { Message, RecordMetadata } from 'kafkajs';
import { Halt } from '../sink/halt';
import { SinkUnavailable } from '../sink/message-sink';

/** What was given to kafkajs to send to one topic. */
export interface Meant {
  readonly topic: string;
  readonly messages: (Message & { partition: number })[];
}

/** What Kafka says of a batch that it has just written to a topic of CreateTime. */
const TRULY_WRITTEN = '-1';

/**
 * kafkajs resolves a send even when it has sent nothing to a partition, and when Kafka took the batch for one that it has already
 * (which it answers as a success, with the older batch's time). So each answer is held against what was meant.
 * @throws SinkUnavailable then nothing of the transaction may be committed
 * @throws Halt when a fresh epoch's first batches come back with a time: the topic is of LogAppendTime
 */
export function checkAnswers(meant: readonly Meant[], answers: readonly RecordMetadata[], sentBefore: boolean): void {
  const answered = new Map(answers.map((answer) => [`${answer.topicName} ${answer.partition}`, answer]));
  for (const { topic, messages } of meant)
    for (const partition of new Set(messages.map((message) => message.partition))) {
      const answer = answered.get(`${topic} ${partition}`);
      if (answer?.errorCode !== 0) throw new SinkUnavailable(`Kafka did not confirm the messages to partition ${partition} of ${topic}`);
      if (answer.logAppendTime === TRULY_WRITTEN) continue;
      if (!sentBefore)
        throw new Halt(
          'TOPIC_UNFIT',
          `The topic ${topic} must have message.timestamp.type=CreateTime: "npm run topics" says what differs.`,
        );
      throw new SinkUnavailable(`Kafka took the messages to partition ${partition} of ${topic} for a repetition, and wrote nothing`);
    }
}
