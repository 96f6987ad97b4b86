import { describe, expect, test } from 'vitest';
import { htmlToText, markupToText } from '../../../src/adapters/document-parser/html-to-text.ts';

const PARAGRAPH =
  'The crane of hall three lifts forty pallets an hour, and the drivers, who wait in the yard, count them by hand. ';
const paragraphs = (count: number, start = '') => `<p>${start}${PARAGRAPH.repeat(3)}</p>`.repeat(count);
const words = (count: number, start: string) => `<p>${`${start} `.repeat(count)}</p>`;
const auto = (page: string) => markupToText(page, 'auto');

/** As programs write manual pages: sections side by side, none of which is the article. */
const MANUAL = `<!doctype html><title>lift(1)</title><body><div id="content">
  <div class="sect1"><h2>NAME</h2><div class="sectionbody"><p>lift - lifts pallets</p></div></div>
  <div class="sect1"><h2>DESCRIPTION</h2><div class="sectionbody">${paragraphs(6)}</div></div>
  <div class="sect1"><h2>OPTIONS</h2><dl><dt>-n</dt><dd><p>Lifts <em>n</em> pallets.</p></dd></dl></div>
  <div class="sect1"><h2>BUGS</h2><div class="sectionbody"><p>None on weekdays.</p></div></div>
  <div class="sect1"><h2>SEE ALSO</h2><a href="yard.html">yard(1)</a></div></div></body>`;

describe('readPage()', () => {
  test('keeps the sections beside the one that is found', () => {
    const { text, leftOut } = auto(MANUAL);
    for (const part of ['lift - lifts pallets', 'hall three', '-n', 'Lifts n pallets.', 'weekdays', 'yard(1)']) {
      expect(text).toContain(part);
    }
    expect(leftOut).toBe(0);
  });

  test('keeps a table of contents, which leads to pages beside this one', () => {
    const entries = Array.from({ length: 40 }, (_, at) => `<li><a href="part${at}.html">Part ${at} of the work</a>`);
    const page = `<body><h1>Contents</h1><ul>${entries.join('')}</ul><div class=legal>${paragraphs(2)}</div>`;
    expect(auto(page).text).toContain('- Part 39 of the work');
  });

  test('leaves menus, comments, teasers and lists of other works out, and says how much', () => {
    const page = `<body><ul class=menu>${'<li><a href="/x">Menu entry</a>'.repeat(30)}</ul>
      <div id=story>${paragraphs(8)}</div>
      <div class="comments-area">${words(200, 'comment')}</div>
      <div>${'<a href="https://other.example/">Another offer</a> '.repeat(30)}</div>
      <footer>Imprint</footer>`;
    const read = auto(page);
    expect(read.text).toContain('hall three');
    expect(read.text).not.toMatch(/Menu entry|comment|Another offer|Imprint/);
    expect(read).toMatchObject({ reading: 'article', leftOut: 201 });
  });

  test('takes the article alone of a page that declares itself one', () => {
    const beside = `<ul><li>${words(60, 'teaser')}</ul>`;
    const article = `<div>${paragraphs(8)}</div>`;
    const page = (head: string) => `<!doctype html><head>${head}</head><body>${article}${beside}`;
    const declarations = [
      '<meta property="og:type" content="article">',
      '<meta property="article:published_time" content="2026-01-01">',
      '<script type="application/ld+json">{"@type": "NewsArticle"}</script>',
    ];
    expect(auto(page('')).text).toContain('teaser');
    for (const head of declarations) expect(auto(page(head)).text).not.toContain('teaser');
  });

  test('takes only what the page marks as its content', () => {
    const page = `<body><ul><li>${words(60, 'stray')}</ul><article>${paragraphs(6)}<h2>More</h2><p>And more.</p></article>`;
    const { text } = auto(page);
    expect(text).toContain('And more.');
    expect(text).not.toContain('stray');
  });

  test('does not take a section for an extra because its id was made of its heading', () => {
    const page = `<body>${paragraphs(6)}<section id="crane-related-functions"><h2>Crane-related functions</h2>${words(30, 'lift')}</section>`;
    expect(auto(page).text).toContain('lift lift');
  });

  test('reads no hidden copy, except where all is hidden until a script shows it', () => {
    const page = (state: string) => `<body><p>Seen by all who come.</p><p ${state}>copy</p>`;
    for (const state of ['hidden', 'aria-hidden=true', 'style="color: red; display:none"']) {
      expect(auto(page(state)).text).toBe('Seen by all who come.');
    }
    expect(auto(`<body><div style="display: none">${paragraphs(1)}</div><p>Loads</p>`).text).toContain('hall three');
  });

  test('reads a formula once, from its MathML or the text of its picture', () => {
    const picture = '<img class="mwe-math-fallback" aria-hidden="true" alt="{x^2}">';
    const hidden = '<span style="display: none;"><math alttext="x^2"><msup><mi>x</mi><mn>2</mn></msup></math></span>';
    expect(auto(`<body>so ${hidden}${picture} it is`).text).toBe('so x^2 it is');
    expect(auto('<body>so <img class="latex" alt="\\frac{a}{b}"> it is').text).toBe('so \\frac{a}{b} it is');
    expect(auto('<body>so <img alt="A crane" src="crane.jpg"> it is').text).toBe('so it is');
  });

  test.each(['article', 'whole'] as const)('takes the %s where it is asked for', (wanted) => {
    const page = `<body><div class=comments>${words(50, 'comment')}</div><div>${paragraphs(8)}</div>`;
    const read = markupToText(page, wanted);
    expect(read.reading).toBe(wanted);
    expect(read.text.includes('comment')).toBe(wanted === 'whole');
  });
});

describe('htmlToText()', () => {
  const page = (extra: number) => `<body><div>${paragraphs(8)}</div><div class=comments>${words(extra, 'word')}</div>`;
  const read = (extra: number, html?: 'whole') =>
    htmlToText(Buffer.from(page(extra)), { maxTextUnits: 1e6, ...(html === undefined ? {} : { formats: { html } }) });

  test('warns where more than a third of the prose is left out, and names the share always', () => {
    expect(read(300)).toMatchObject({ metadata: { reading: 'article', leftOut: expect.closeTo(0.36, 2) } });
    expect(read(300)).toMatchObject({ warnings: [expect.stringMatching(/^left_out: 300 of the page's \d+ words/)] });
    expect(read(100)).not.toHaveProperty('warnings');
    expect(read(300, 'whole')).toMatchObject({ metadata: { reading: 'whole', leftOut: 0 } });
  });
});
