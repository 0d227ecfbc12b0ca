import { Controller, Get, Header, Param } from '@nestjs/common';
import { notFound } from './problem-of';
import { isProblemCode, meaningOf, PROBLEM_CODES, type ProblemCode } from './problem-codes';

/** What a problem's `type` leads to: one page per code, for people, from the same table as the answers. */
@Controller('docs/problems')
export class ProblemPagesController {
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  list(): string {
    const rows = Object.keys(PROBLEM_CODES).map((code) => {
      const { status, title } = meaningOf(code as ProblemCode);
      return `<tr><td>${status}</td><td><a href="/docs/problems/${code}">${code}</a></td><td>${title}</td></tr>`;
    });
    return page('Problems', `<table><tr><th>Status</th><th>Code</th><th>Title</th></tr>${rows.join('')}</table>`);
  }

  @Get(':code')
  @Header('content-type', 'text/html; charset=utf-8')
  read(@Param('code') code: string): string {
    if (!isProblemCode(code)) throw notFound();
    const { status, title, meaning, remedy } = meaningOf(code);
    return page(
      `${title} (${code}, ${status})`,
      `<p>${meaning}</p><h2>What to do</h2><p>${remedy}</p><p><a href="/docs/problems">All problems</a></p>`,
    );
  }
}

/** Every text comes from our own table, so none needs escaping but its angle brackets. */
function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><body style="font-family: sans-serif; max-width: 50em; margin: 2em auto"><h1>${title}</h1>${body.replaceAll('<token>', '&lt;token&gt;')}</body></html>\n`;
}
