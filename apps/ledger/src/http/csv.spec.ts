import fc from 'fast-check';
import { type Cell, csvOf, prefersCsv } from './csv';
import { parseCsv } from './testing/parse-csv';

describe('CSV', () => {
  it('has a header row, CRLF, and quotes only where RFC 4180 wants them', () => {
    expect(
      csvOf(
        ['a', 'b', 'c'],
        [
          ['plain', -1, undefined],
          ['x,y', 'say "hi"', 'two\r\nlines'],
        ],
      ),
    ).toBe('a,b,c\r\nplain,-1,\r\n"x,y","say ""hi""","two\r\nlines"\r\n');
  });

  it.each(['=cmd|calc', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '＋1', '－1', '＠1', "'=1", '\n', '\0'])(
    'gives %j an apostrophe, so that no spreadsheet runs it',
    (text) => {
      const [, [cell]] = parseCsv(csvOf(['a'], [[text]])) as [string[], string[]];
      expect(cell).toBe(`'${text}`);
    },
  );

  it('comes back as it went in, whatever the texts are', () => {
    const cell: fc.Arbitrary<Cell> = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^['"=+\-@,\r\n\t ]{0,6}$/),
      fc.integer(),
      fc.constant(undefined),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell)), (rows) => {
        const [header, ...read] = parseCsv(csvOf(['a', 'b', 'c'], rows));
        expect(header).toEqual(['a', 'b', 'c']);
        // A number is never changed; a text loses exactly the one apostrophe that it was given.
        const back = read.map((row, index) =>
          row.map((text, column) => (typeof rows[index]![column] === 'number' ? text : text.replace(/^'/, ''))),
        );
        expect(back).toEqual(rows.map((row) => row.map((value) => (value === undefined ? '' : String(value)))));
        for (const text of read.flat()) expect(/^\s*[=+@]/.test(text)).toBe(false);
      }),
    );
  });

  it.each([
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['text/csv', true],
    ['TEXT/CSV; charset=utf-8', true],
    ['application/json, text/csv', false],
    ['text/csv, application/json', true],
    ['application/json;q=0.5, text/csv', true],
    ['text/csv;q=0.1, */*', false],
    ['text/csv;q=0', false],
    ['text/html, text/csv;q=0.9, */*;q=0.8', true],
  ])('Accept %j prefers it: %j', (accept, prefers) => {
    expect(prefersCsv(accept)).toBe(prefers);
  });
});
