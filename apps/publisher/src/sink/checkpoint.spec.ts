import { type Checkpoint, checkpointOf, checkpointText } from './checkpoint';
import { Halt } from './halt';

const whole: Checkpoint = {
  position: 9223372036854775807n,
  last: { eventId: 'e', stream: 'userWallet-u1', revision: 0 },
  mark: 'm',
  count: 1,
  partitions: { events: 12, balances: 12 },
};
const before: Checkpoint = { position: -1n, last: undefined, mark: undefined, count: 0, partitions: { events: 1, balances: 1 } };

describe('a checkpoint', () => {
  it.each([[whole], [before]])('is read as it was written', (checkpoint) => {
    expect(checkpointOf(checkpointText(checkpoint, 'here'))).toEqual(checkpoint);
  });

  it.each([
    ['no JSON', '{'],
    ['another version', checkpointText(whole, 'here').replace('"v":1', '"v":2')],
    ['no position', checkpointText(whole, 'here').replace('"position"', '"place"')],
    ['a position that is a number', checkpointText(whole, 'here').replace(/"922\d+"/, '7')],
    ['half an event', checkpointText(whole, 'here').replace('"stream"', '"strom"')],
    ['an event before the first', checkpointText(whole, 'here').replace(/"922\d+"/, '"-1"')],
    ['no partitions', checkpointText(before, 'here').replace('"partitions"', '"parts"')],
    ['none of a topic', checkpointText(before, 'here').replace('"events":1', '"events":0')],
  ])('with %s halts the publisher', (_, text) => {
    expect(() => checkpointOf(text)).toThrow(Halt);
  });
});
