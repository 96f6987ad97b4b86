import { describe, expect, test } from 'vitest';
import { htmlToText, markupToText } from '../../../src/adapters/document-parser/html-to-text.ts';
import { mailToText } from '../../../src/adapters/document-parser/mail-to-text.ts';
import { DOCTYPES } from '../../helpers/doctypes.ts';

/** Letters and digits only: where inline elements touch, so do their words. */
const words = (text: string) => (text.match(/[\p{L}\p{N}]+/gu) ?? []).join('');
const whole = (markup: string) => markupToText(markup, 'whole').text;

/** Markup as people and programs write it, and every word that a browser shows of it. */
const SNIPPETS: readonly (readonly [markup: string, shown: string])[] = [
  ['one', 'one'],
  ['<p>one<p>two', 'one two'],
  ['<b>one<p>two</b>three', 'one two three'],
  ['<a>one<p>two</a>three</p>four', 'one two three four'],
  ['<table>one<tr><td>two</table>three', 'one two three'],
  ['<table><tr>one<td>two</td>three</tr></table>', 'one three two'],
  ['<table><td>one<table><tr><td>two</table>three', 'one two three'],
  ['<ul><li>one<li>two</ul>three', 'one two three'],
  ['<dl><dt>one<dd>two<dt>three</dl>', 'one two three'],
  ['<select><option>one<option>two</select>three', 'one two three'],
  ['one<!-- two -->three', 'one three'],
  ['one<!-- two --!>three', 'one three'],
  ['one<!-->two', 'one two'],
  ['one<!--->two', 'one two'],
  ['one<!-- --><!-- -- >two -->three', 'one three'],
  ['one</p>two', 'one two'],
  ['one</br>two', 'one two'],
  ['<div>one<div>two</div>', 'one two'],
  ['</div>one', 'one'],
  ['<head><p>one', 'one'],
  ['<head><title>x</title><p>one', 'one'],
  ['<head>one<title>x</title>two', 'one two'],
  ['<html><body>one</body></html>two', 'one two'],
  ['<body>one</body><p>two', 'one two'],
  ['<p>one</html><p>two', 'one two'],
  ['<i>one<b>two</i>three</b>four', 'one two three four'],
  ['<font>one<p>two<font>three</p>four', 'one two three four'],
  ['<pre>\none\ntwo</pre>three', 'one two three'],
  ['<textarea>one</textarea>two', 'one two'],
  ['<input value=one> <input type=hidden value=x> <input type=submit value=x> two', 'one two'],
  ['<svg><title>x</title><style>x</style><g><text>one <tspan>two</tspan></text></g></svg>three', 'one two three'],
  ['<svg><foreignObject><p>one</p></foreignObject></svg>two', 'one two'],
  [
    '<x-card><template shadowrootmode=open><p>one</p></template>two</x-card><template>x</template>three',
    'one two three',
  ],
  ['<button>one<p>two</button>three', 'one two three'],
  ['<h1>one<h2>two</h1>three', 'one two three'],
  ['one&amp;two &lt;three&gt; &eacute;t&eacute; &#8364; &notit;', 'one two three été it'],
  ['<p title=">">one', 'one'],
  ["<p title='a\"b'>one", 'one'],
  ['<p/>one<br/>two', 'one two'],
  ['<P>ONE</P>', 'ONE'],
  ['<center>one<nobr>two</center>', 'one two'],
  ['<form>one<form>two</form>three', 'one two three'],
  ['<ruby>one<rt>two</ruby>', 'one two'],
  ['<details><summary>one</summary>two</details>', 'one two'],
  ['<o:p>one</o:p><st1:city>two</st1:city>', 'one two'],
  ['<![CDATA[one]]>two', 'two'],
  ['<?php echo 1 ?>one', 'one'],
  ['one\0two', 'onetwo'],
  ['<p hidden=until-found>one<script>two</script>three<style>four</style>five', 'one three five'],
  ['<p hidden>one</p>two three', 'two three'],
  ['<svg><text>x</text></svg>one', 'x one'],
  ['<table><caption>one<tr><td>two', 'one two'],
  ['<table><colgroup>one<col><tr><td>two', 'one two'],
  ['<b><b><b><b><p>one</b>two', 'one two'],
];

describe('markupToText()', () => {
  test.each(SNIPPETS)('loses no word of %s', (markup, shown) => {
    for (const doctype of DOCTYPES) {
      expect(words(whole(`${doctype}${markup}`)), doctype).toEqual(words(shown));
    }
  });

  test.each(DOCTYPES)('reads a page the same whether its optional tags are written or not, after %j', (doctype) => {
    const body = '<h1>Lift of hall 3</h1><p>The lift stands still since Monday.<p>Two loads wait in the yard.';
    const full = whole(`${doctype}<html><head><title>Lift</title></head><body>${body}</body></html>`);
    expect(full).toContain('# Lift of hall 3\n\nThe lift stands still since Monday.\n\nTwo loads wait in the yard.');
    for (const markup of [
      `<title>Lift</title>${body}`,
      `<html><title>Lift</title>${body}`,
      `<head><title>Lift</title>${body}`,
      `<html lang=en><meta charset=utf-8><head><title>Lift</title>${body}</html>`,
      `<body>${body}`,
    ]) {
      expect(whole(`${doctype}${markup}`)).toBe(full);
    }
  });

  test('writes powers, marks of notes and formulas so that they stay what they are', () => {
    expect(whole('10<sup>6</sup> litres')).toBe('10^6 litres');
    expect(whole('25 m<sup>2</sup>, 3 s<sup>-1</sup>, e<sup>x+y</sup>')).toBe('25 m^2, 3 s^-1, e^(x+y)');
    expect(whole('as shown<sup>3</sup> and said.<sup><a href="#n4">4</a></sup>')).toBe('as shown[3] and said.[4]');
    expect(whole('known<sup>[5]</sup>, the 1<sup>st</sup> of H<sub>2</sub>O')).toBe('known[5], the 1st of H2O');
    expect(whole('<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac></math>')).toBe('(a+b)/2');
    const twice = '<semantics><mi>x</mi><annotation encoding="application/x-tex">x_1^2</annotation></semantics>';
    expect(whole(`is <math>${twice}</math> here`)).toBe('is x_1^2 here');
  });

  test('leaves out what was deleted', () => {
    expect(whole('The price is <del>90</del> <ins>80</ins> francs, <s>today</s> tomorrow.')).toBe(
      'The price is 80 francs, tomorrow.',
    );
  });

  test('reads a page of many elements in about the time of its size', { timeout: 60_000 }, () => {
    const page = (rows: number) =>
      `<!doctype html><body>${'<div><a href="#">x</a><span>word</span></div>'.repeat(rows)}`;
    const timeOf = (markup: string) => {
      // Of the processor: the machine may be busy with other things.
      const start = process.cpuUsage();
      markupToText(markup, 'auto');
      return process.cpuUsage(start).user / 1000;
    };
    timeOf(page(500));
    // 890 kB: the search for an article would take its square.
    expect(timeOf(page(20_000))).toBeLessThan(5_000);
  });
});

test('htmlToText() reads a page with a doctype and no article whole', () => {
  const bytes = Buffer.from('<!doctype html>\n<title>Note</title>\n<p>Forty pallets in April.\n<p>Answer by Friday.\n');
  expect(htmlToText(bytes, { maxTextUnits: 1_000 })).toMatchObject({
    kind: 'text',
    text: '# Note\n\nForty pallets in April.\n\nAnswer by Friday.',
  });
});

test.each(DOCTYPES)('an HTML mail keeps its body after %j', async (doctype) => {
  const mail = `From: a@example.com\r\nSubject: Offer\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${doctype}<html><body><p>Forty pallets at 18 francs each.</p></body></html>\r\n`;
  const parsed = await mailToText(Buffer.from(mail), { maxTextUnits: 1_000 });
  expect(parsed).toMatchObject({ kind: 'text', text: expect.stringContaining('Forty pallets at 18 francs each.') });
});
