import { BadTrace, parseTrace, readTrace } from './trace';

const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens';
const ROW = '2023-11-16 18:15:46.6805900,374,44';

describe('a trace', () => {
  it.each([
    ['\n', ''],
    ['\r\n', ''],
    ['\n', '\n'],
  ])('is read row by row, with line ends %j and end %j', (lineEnd, end) => {
    expect(parseTrace([HEADER, ROW, '2023-11-16 18:15:50.9951690,396,109'].join(lineEnd) + end)).toEqual([
      { row: 1, contextTokens: 374, generatedTokens: 44 },
      { row: 2, contextTokens: 396, generatedTokens: 109 },
    ]);
  });

  it.each([
    ['t,12', 'line 3 is not'],
    ['t,12,3,4', 'line 3 is not'],
    ['t,-1,3', 'line 3 is not'],
    ['t,1.5,3', 'line 3 is not'],
    ['t,1e3,3', 'line 3 is not'],
    [',1,3', 'line 3 is not'],
    ['t,1234567890,3', 'line 3 is not'],
    ['', 'line 3 is not'],
    ['t,0,0', 'line 3 has no tokens'],
  ])('with the bad row %j is refused and the line is named', (bad, sentence) => {
    expect(() => parseTrace([HEADER, ROW, bad, ROW].join('\n'))).toThrow(sentence);
    expect(() => parseTrace([HEADER, ROW, bad, ROW].join('\n'))).toThrow(BadTrace);
  });

  it('names the first bad lines and counts the rest', () => {
    const text = [HEADER, ...new Array<string>(8).fill('x')].join('\n');
    expect(() => parseTrace(text)).toThrow(/line 2 is.*line 6 is.* and 3 more$/);
  });

  it.each([
    ['', 'line 1 must be the header'],
    [ROW, 'line 1 must be the header'],
    [`${HEADER}\n`, 'no rows'],
  ])('%j is refused: %s', (text, sentence) => {
    expect(() => parseTrace(text)).toThrow(sentence);
  });

  it('that is not there is named', () => {
    expect(() => readTrace('/nowhere/trace.csv')).toThrow('The trace /nowhere/trace.csv cannot be read');
  });
});
