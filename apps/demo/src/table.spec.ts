import { parseOptions } from './options';
import { percentile } from './percentile';
import { table } from './table';

describe('a table', () => {
  it('sets numbers to the right with their thousands, texts to the left, and leaves no blanks at the ends', () => {
    expect(
      table(
        ['member', 'tokens', 'note'],
        [
          ['ada', 1234, 'a'],
          ['benjamin', '', ''],
        ],
        '',
      ),
    ).toBe(['member    tokens  note', '--------  ------  ----', 'ada        1,234  a', 'benjamin'].join('\n'));
  });

  it('without rows is its head', () => {
    expect(table(['a', 'bc'], [], '> ')).toBe('> a  bc\n> -  --');
  });
});

describe('percentiles', () => {
  it.each([
    [[5], 99, 5],
    [[], 50, 0],
    [[4, 1, 3, 2], 50, 2],
    [Array.from({ length: 100 }, (_, n) => n + 1), 99, 99],
    [Array.from({ length: 101 }, (_, n) => n + 1), 99, 100],
  ])('of %j at %i is %i', (values, percent, expected) => {
    expect(percentile(values, percent)).toBe(expected);
  });
});

describe('options', () => {
  it('have the defaults of npm start', () => {
    expect(parseOptions([], {})).toEqual({ seed: 1, data: './data', json: false });
    expect(parseOptions([], { DATA_DIR: '/srv/ledger' }).data).toBe('/srv/ledger');
  });

  it('are read', () => {
    expect(parseOptions(['--trace', 't.csv', '--seed', '7', '--data', '/srv/d', '--json'], {})).toEqual({
      trace: 't.csv',
      seed: 7,
      data: '/srv/d',
      json: true,
    });
  });

  it.each([[['--seed', '-1']], [['--seed', '1.5']], [['--seed', '2147483648']], [['--sead', '1']], [['extra']]])(
    '%j are refused',
    (args) => {
      expect(() => parseOptions(args, {})).toThrow(/--seed|Usage/);
    },
  );
});
