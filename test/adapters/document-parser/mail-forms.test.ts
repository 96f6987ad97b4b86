import { expect, test } from 'vitest';
import { GERMAN, HEAD, LETTER, letterOf, multipart, part } from './mail-fixture.ts';

const high = (packed: string, to: 'hz' | 'kr') => (to === 'hz' ? `~{${packed}~} 12~~3` : `\x1b$)C\x0e${packed}\x0f 12`);

test.each([
  ['hz-gb-2312', high('H}TB', 'hz'), '三月 12~3'],
  ['iso-2022-kr', high(';o?y', 'kr'), '삼월 12'],
  ['x-user-defined', Buffer.from(GERMAN).toString('latin1'), GERMAN],
  ['ansi', Buffer.from(GERMAN).toString('latin1'), GERMAN],
])('a letter in %s is read', async (charset, body, expected) => {
  expect((await letterOf(`${HEAD}${part(`text/plain; charset=${charset}`, body)}`)).letter).toBe(expected);
});

test('a letter with a remark behind the name of its packing is unpacked', async () => {
  const mail = part('text/plain; charset=utf-8', 'f=C3=BCr', 'Content-Transfer-Encoding: QUOTED-PRINTABLE (8bit)\r\n');
  expect((await letterOf(`${HEAD}${mail}`)).letter).toBe('für');
});

test('lines that were broken to be sent are joined, but for quotes and the line before a signature', async () => {
  const flowed = (more: string, body: string) => part(`text/plain; charset=utf-8; format=flowed${more}`, body);
  expect((await letterOf(`${HEAD}${flowed('', 'Forty \r\npallets\r\nnow')}`)).letter).toBe('Forty pallets\nnow');
  expect((await letterOf(`${HEAD}${flowed('; delsp=yes', 'For \r\nty')}`)).letter).toBe('Forty');
  expect((await letterOf(`${HEAD}${flowed('', 'a\r\n-- \r\nEva')}`)).letter).toBe('a\n-- \nEva');
  expect((await letterOf(`${HEAD}${part('text/plain', 'Forty \r\npallets')}`)).letter).toBe('Forty \npallets');
});

test('a page sent as plain text is read as a page', async () => {
  const page = `<!DOCTYPE html><html><head><style>p{color:red}</style></head><body><p>${LETTER}</p></body></html>`;
  expect((await letterOf(`${HEAD}${part('text/plain', page)}`)).letter).toBe(LETTER);
});

test('the HTML is taken where the plain form lacks its second half', async () => {
  const [first, second] = [
    'Forty pallets at 18 francs each, from April.',
    'After the plan there is more of the text to read.',
  ];
  const mail = multipart('alternative', [
    part('text/plain', first),
    part('text/html', `<p>${first}</p><p>${second}</p>`),
  ]);
  expect((await letterOf(`${HEAD}${mail}`)).letter).toBe(`${first}\n\n${second}`);
});
