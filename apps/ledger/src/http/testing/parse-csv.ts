/** A reader of RFC 4180 that knows nothing of our writer: rows of cells. Throws where the text is not CSV. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const row: string[] = [];
    for (;;) {
      let cell = '';
      if (text[at] === '"') {
        for (at += 1; ; at += 1) {
          if (at >= text.length) throw new Error('a quote is never closed');
          if (text[at] !== '"') cell += text[at];
          else if (text[at + 1] === '"') cell += text[at++];
          else break;
        }
        at += 1;
      } else {
        for (; at < text.length && text[at] !== ',' && text[at] !== '\r'; at += 1) {
          if (text[at] === '"' || text[at] === '\n') throw new Error(`a bare ${JSON.stringify(text[at])} at ${at}`);
          cell += text[at];
        }
      }
      row.push(cell);
      if (text[at] === ',') at += 1;
      else break;
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`a row ends without CRLF at ${at}`);
    at += 2;
    rows.push(row);
  }
  return rows;
}
