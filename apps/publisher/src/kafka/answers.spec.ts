import { KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { Halt } from '../sink/halt';
import { MessagesTooLarge, SinkFenced, SinkUnavailable } from '../sink/message-sink';
import { checkAnswers, type Meant } from './answers';
import { inWordsOfThePort } from './errors';

const meant: Meant[] = [{ topic: 't', messages: [{ value: 'a', partition: 0 }, { value: 'b', partition: 3 }] }]; // prettier-ignore
const answer = (partition: number, more = {}) => ({ topicName: 't', partition, errorCode: 0, logAppendTime: '-1', ...more });

describe('the answers to a send', () => {
  it('are right when every partition was written', () => {
    expect(() => checkAnswers(meant, [answer(3), answer(0)], true)).not.toThrow();
  });

  it.each([
    ['one is missing', [answer(0)], true, SinkUnavailable],
    ['one is of another topic', [answer(0), answer(3, { topicName: 'u' })], true, SinkUnavailable],
    ['one names an error', [answer(0), answer(3, { errorCode: 6 })], true, SinkUnavailable],
    ['one names a time, as of a repetition', [answer(0), answer(3, { logAppendTime: '1795451239' })], true, SinkUnavailable],
    ['the first ones of an epoch name a time', [answer(0), answer(3, { logAppendTime: '1795451239' })], false, Halt],
  ])('are refused when %s', (_, answers, sentBefore, kind) => {
    expect(() => checkAnswers(meant, answers, sentBefore)).toThrow(kind);
  });
});

describe('what kafkajs throws', () => {
  const protocol = (type: string, code: number, message = type): Error => {
    const answer = { name: '', type, code, message, retriable: false };
    return new KafkaJSProtocolError(answer);
  };

  it.each([
    ['INVALID_PRODUCER_EPOCH', SinkFenced],
    ['UNKNOWN', SinkFenced],
    ['MESSAGE_TOO_LARGE', MessagesTooLarge],
    ['RECORD_LIST_TOO_LARGE', MessagesTooLarge],
    ['TOPIC_AUTHORIZATION_FAILED', SinkUnavailable],
    ['NOT_LEADER_FOR_PARTITION', SinkUnavailable],
  ])('is known by the code of Kafka however deep it stands: %s', (type, kind) => {
    const error = protocol(type, 1);
    const exceeded = Object.assign(new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 0, retryTime: 0 }), { cause: error });
    const wrapped = Object.assign(new KafkaJSNonRetriableError('wrapped'), { cause: exceeded });
    expect(inWordsOfThePort(error, 'publishing')).toBeInstanceOf(kind);
    expect(inWordsOfThePort(wrapped, 'publishing')).toBeInstanceOf(kind);
  });

  it('is a fencing also by the newer code, which kafkajs has no name for', () => {
    const error = protocol('KAFKAJS_UNKNOWN_ERROR_CODE', -99, 'Unknown error code 90');
    expect(inWordsOfThePort(error, 'publishing')).toBeInstanceOf(SinkFenced);
    const other = protocol('KAFKAJS_UNKNOWN_ERROR_CODE', -99, 'Unknown error code 120');
    expect(inWordsOfThePort(other, 'publishing')).toBeInstanceOf(SinkUnavailable);
  });
});
