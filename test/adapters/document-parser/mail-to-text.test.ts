import { describe, expect, test } from 'vitest';
import { EVENT, GERMAN, HEAD, LETTER, letterOf, mixed, multipart, part, read } from './mail-fixture.ts';

/** Bytes of the letter in an encoding that a part names. */
const ENCODED: readonly (readonly [name: string, type: string, bytes: Uint8Array])[] = [
  ['us-ascii that is UTF-8', 'text/plain; charset=us-ascii', Buffer.from(GERMAN)],
  ['no charset, UTF-8', 'text/plain', Buffer.from(GERMAN)],
  [
    'cp850',
    'text/plain; charset=cp850',
    Buffer.from('Gr\x81\xe1e aus K\x94ln, die Lieferung f\x81r M\x84rz fehlt.', 'latin1'),
  ],
  [
    'IBM437',
    'text/plain; charset="IBM437"',
    Buffer.from('Gr\x81\xe1e aus K\x94ln, die Lieferung f\x81r M\x84rz fehlt.', 'latin1'),
  ],
  [
    'UTF-7',
    'text/plain; charset=unicode-1-1-utf-7',
    Buffer.from('Gr+APwA3w-e aus K+APY-ln, die Lieferung f+APw-r M+AOQ-rz fehlt.'),
  ],
  ['UTF-16 without a mark', 'text/plain; charset=utf-16', Buffer.from(GERMAN, 'utf16le')],
  ['latin1', 'text/plain; charset=iso-8859-1', Buffer.from(GERMAN, 'latin1')],
  ["the HTML's own word", 'text/html', Buffer.from(`<meta charset=windows-1252><p>${GERMAN}`, 'latin1')],
  ['a comment behind the charset', 'text/plain; charset=utf-8 (Unicode)', Buffer.from(GERMAN)],
  ['a charset in pieces', "text/plain; charset*=us-ascii'en'utf-8", Buffer.from(GERMAN)],
];

describe('mailToText(): the encoding of the letter', () => {
  test.each(ENCODED)('%s', async (_, type, bytes) => {
    const mail = Buffer.concat([
      Buffer.from(`${HEAD}Content-Type: ${type}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n`),
      bytes,
    ]);
    expect(await letterOf(mail)).toMatchObject({ letter: GERMAN, warnings: [] });
  });

  test.each([
    ['undeclared bytes', 'text/plain', Buffer.from(GERMAN, 'latin1'), 'windows-1252, since it names no encoding'],
    ['us-ascii bytes', 'text/plain; charset=us-ascii', Buffer.from(GERMAN, 'latin1'), 'windows-1252'],
    ['latin1 that is UTF-8', 'text/plain; charset=iso-8859-1', Buffer.from(GERMAN), 'UTF-8 and not as iso-8859-1'],
    [
      'UTF-8 that is latin1',
      'text/plain; charset=utf-8',
      Buffer.from(GERMAN, 'latin1'),
      'windows-1252 and not as utf-8',
    ],
  ])('%s: read, and said', async (_, type, bytes, how) => {
    const mail = Buffer.concat([Buffer.from(`${HEAD}Content-Type: ${type}\r\n\r\n`), bytes]);
    const { letter, warnings } = await letterOf(mail);
    expect(letter).toBe(GERMAN);
    expect(warnings).toEqual([expect.stringContaining(how)]);
  });

  test('UTF-8 that was cut in a character is read, with a word on it', async () => {
    const bytes = Buffer.from(`${GERMAN} ü`).subarray(0, -1);
    const mail = Buffer.concat([Buffer.from(`${HEAD}Content-Type: text/plain; charset=utf-8\r\n\r\n`), bytes]);
    expect((await letterOf(mail)).warnings).toEqual([expect.stringContaining('with 1 places')]);
  });

  test('an encoding that is not known is a problem that names it', async () => {
    const mail = Buffer.concat([
      Buffer.from(`${HEAD}Content-Type: text/plain; charset=x-mars\r\n\r\n`),
      Buffer.from(GERMAN, 'latin1'),
    ]);
    expect(await read(mail)).toMatchObject({ code: 'not_utf8', message: expect.stringContaining('"x-mars"') });
  });

  test('iso-2022-jp that nobody declared', async () => {
    const mail = `${HEAD}\r\n\x1b$B%P%9%1%C%H%\\!<%k\x1b(B`;
    expect(await letterOf(mail)).toMatchObject({ letter: 'バスケットボール' });
  });
});

describe('mailToText(): the head', () => {
  test.each([
    ['UTF-8 bytes', Buffer.from('Subject: Köln\r\nFrom: "Jörg Müller" <j@e.test>\r\n\r\nHello there'), []],
    [
      "bytes in the letter's encoding",
      Buffer.from(
        'Subject: Köln\r\nFrom: "Jörg Müller" <j@e.test>\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nHello there',
        'latin1',
      ),
      [],
    ],
    [
      'bytes in no encoding',
      Buffer.from('Subject: Köln\r\nFrom: Jörg Müller <j@e.test>\r\n\r\nHello there', 'latin1'),
      [expect.stringContaining('charset_guessed: its head was read as windows-1252')],
    ],
    [
      'encoded words',
      Buffer.from(
        'Subject: =?cp850?q?K=94ln?=\r\nFrom: =?utf-8?q?J=C3=B6rg?= =?utf-8?q?_M=C3?=\r\n =?utf-8?q?=BCller?= <j@e.test>\r\n\r\nHello there',
      ),
      [],
    ],
  ])('%s', async (_, mail, warnings) => {
    const parsed = await read(mail);
    expect(parsed).toMatchObject({ metadata: { subject: 'Köln', from: 'Jörg Müller <j@e.test>' }, warnings });
  });

  test('a body without the blank line before it, and a text without any head', async () => {
    expect(await letterOf(`Subject: Offer\r\n${LETTER}\r\n`)).toMatchObject({ letter: LETTER });
    expect(await letterOf(`${LETTER}\r\nBye`)).toMatchObject({
      letter: `${LETTER}\nBye`,
      warnings: [expect.stringContaining('no_mail_head')],
    });
  });
});

const RTF =
  "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}{\\*\\generator x;}\\f0 Forty pallets at 18 francs each.\\par Gr\\u252?\\'dfe}";

describe('mailToText(): forms of a letter', () => {
  test.each([
    ['markdown', part('text/markdown; charset=utf-8', `# Offer\r\n\r\n${LETTER}`), `# Offer\n\n${LETTER}`],
    ['RTF', part('text/rtf', RTF), `${LETTER}\nGrüße`],
    ['application/rtf', part('application/rtf', RTF), `${LETTER}\nGrüße`],
    [
      'enriched',
      part('text/enriched', '<bold>Forty</bold> pallets\r\nat <color><param>red</param>18</color> francs << each.'),
      'Forty pallets at 18 francs < each.',
    ],
    ['AMP alone', part('text/x-amp-html', `<html amp4email><body><p>${LETTER}</p></body></html>`), LETTER],
    ['another kind of text', part('text/x-whatever', LETTER), LETTER],
    [
      'a calendar entry',
      part('text/calendar; method=REQUEST', EVENT),
      'Budget, warehouse\nWhen: 2026-03-05 09:00 Europe/Berlin to 2026-03-05 10:00 UTC\nWhere: Room 4\nBring the offers',
    ],
    ['a cancelled entry', part('text/calendar', EVENT.replace('REQUEST', 'CANCEL')), /^Cancelled: Budget, warehouse/],
    [
      'base64 without a type',
      `Content-Transfer-Encoding: base64\r\n\r\n${Buffer.from(LETTER).toString('base64')}`,
      LETTER,
    ],
    [
      'base64 with a footer of a list',
      part(
        'text/plain',
        `${Buffer.from(LETTER).toString('base64')}\r\n_____\r\nThe list`,
        'Content-Transfer-Encoding: base64\r\n',
      ),
      `${LETTER}\n_____\nThe list`,
    ],
    ['base64 that is none', part('text/plain', LETTER, 'Content-Transfer-Encoding: base64\r\n'), LETTER],
    [
      'quoted-printable with soft breaks',
      part(
        'text/plain',
        'Forty pallets at=20=\r\n18 francs each.  \r\n',
        'Content-Transfer-Encoding: quoted-printable\r\n',
      ),
      LETTER,
    ],
    ['a type that is none', part('text', LETTER), LETTER],
    [
      'one base64 part without a type',
      mixed(`Content-Transfer-Encoding: base64\r\n\r\n${Buffer.from(LETTER).toString('base64')}`),
      LETTER,
    ],
    [
      'a signed letter',
      multipart('signed', [part('text/plain', LETTER), part('application/pgp-signature', 'xyz')]),
      LETTER,
    ],
    [
      'a letter signed inside its text',
      part(
        'text/plain',
        `-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n${LETTER}\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\nabc=\r\n-----END PGP SIGNATURE-----`,
      ),
      LETTER,
    ],
  ])('%s', async (_, mail, letter) => {
    const found = await letterOf(`${HEAD}${mail}`);
    if (typeof letter === 'string') expect(found).toMatchObject({ letter, warnings: [] });
    else expect(found.letter).toMatch(letter);
  });

  test.each([
    [
      'no boundary at all',
      `Content-Type: multipart/mixed\r\n\r\n${LETTER}`,
      [expect.stringContaining('parts_not_found')],
    ],
    ['a boundary that is not named', mixed(part('text/plain', LETTER)).replace('; boundary=b', ''), []],
    ['another boundary than is named', mixed(part('text/plain', LETTER)).replace('boundary=b', 'boundary=c'), []],
    [
      'no last boundary',
      mixed(part('text/plain', LETTER)).replace('--b--\r\n', ''),
      [expect.stringContaining('mail_cut_off')],
    ],
    [
      'a boundary in quotes with spaces behind',
      mixed(part('text/plain', LETTER)).replace('boundary=b', 'boundary="b "'),
      [],
    ],
  ])('%s', async (_, mail, warnings) => {
    expect(await letterOf(`${HEAD}${mail}`)).toMatchObject({ letter: LETTER, warnings });
  });

  test('line ends of an old Macintosh', async () => {
    expect(await letterOf(`Subject: Offer\r\r${LETTER}`)).toMatchObject({ letter: LETTER });
  });
});
