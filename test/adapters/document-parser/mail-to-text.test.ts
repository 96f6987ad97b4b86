import { describe, expect, test } from 'vitest';
import { mailToText } from '../../../src/adapters/document-parser/mail-to-text.ts';

const HEAD = 'From: A Writer <writer@example.test>\r\nSubject: Offer\r\nMIME-Version: 1.0\r\n';
const LETTER = 'Forty pallets at 18 francs each.';
const GERMAN = 'Grüße aus Köln, die Lieferung für März fehlt.';

const bytesOf = (mail: string | Uint8Array) => (typeof mail === 'string' ? Buffer.from(mail, 'latin1') : mail);
async function read(mail: string | Uint8Array) {
  return await mailToText(bytesOf(mail), { maxTextUnits: 1_000_000 });
}
/** The letter and the warnings of a mail that is read. */
async function letterOf(mail: string | Uint8Array) {
  const parsed = await read(mail);
  if (parsed.kind !== 'text') throw new Error(parsed.message);
  const [, letter = ''] = /^(?:(?:Subject|From|Date): .*(?:\n|$))*\n?([\s\S]*)$/.exec(`${parsed.text}`) ?? [];
  return { letter, warnings: parsed.warnings ?? [], metadata: parsed.metadata };
}
const mixed = (...parts: readonly string[]) => multipart('mixed', parts);
const multipart = (kind: string, parts: readonly string[], boundary = 'b') =>
  `Content-Type: multipart/${kind}; boundary=${boundary}\r\n\r\n${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
const part = (type: string, body: string, more = '') => `Content-Type: ${type}\r\n${more}\r\n${body}`;

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
const EVENT =
  'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20260305T090000\r\nDTEND:20260305T100000Z\r\nSUMMARY:Budget\\, warehouse\r\nDESCRIPTION:Bring the\r\n  offers\r\nLOCATION:Room 4\r\nBEGIN:VALARM\r\nDESCRIPTION:Alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR';

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

describe('mailToText(): one of several forms', () => {
  const html =
    '<p>We offer forty pallets from April at 18 francs each. Please answer by Friday, as the price may rise.</p>';
  const letter = 'We offer forty pallets from April at 18 francs each. Please answer by Friday, as the price may rise.';

  test.each([
    [
      'the plain one',
      'We offer forty pallets from April at 18 francs each.\r\nPlease answer by Friday, as the price may rise.',
      letter.replace('. P', '.\nP'),
    ],
    [
      'HTML where the plain one is a stub',
      'Your mail program cannot show this message. Please open it in HTML.',
      letter,
    ],
    ['HTML where the plain one is a stub in another language', 'Diese Nachricht ist im HTML-Format.', letter],
    ['HTML where the plain one is empty', ' \r\n', letter],
  ])('%s', async (_, plain, expected) => {
    const mail = multipart('alternative', [part('text/plain', plain), part('text/html', html)]);
    expect(await letterOf(`${HEAD}${mail}`)).toMatchObject({ letter: expected, warnings: [] });
  });

  test('both where a long stub hides a short letter', async () => {
    const stub = 'Your mail program cannot show this message. Please open it with another one, or ask the office.';
    const mail = multipart('alternative', [part('text/plain', stub), part('text/html', '<p>Yes: forty pallets.</p>')]);
    expect((await letterOf(`${HEAD}${mail}`)).letter).toBe(`${stub}\n\nYes: forty pallets.`);
  });

  test('the plain one and what only the calendar entry says', async () => {
    const mail = multipart('alternative', [
      part('text/plain', 'Budget, warehouse. Bring the offers.'),
      part('text/calendar', EVENT),
    ]);
    expect((await letterOf(`${HEAD}${mail}`)).letter).toBe(
      'Budget, warehouse. Bring the offers.\n\nWhen: 2026-03-05 09:00 Europe/Berlin to 2026-03-05 10:00 UTC\nWhere: Room 4',
    );
  });

  test('files beside the HTML count though the plain one is taken', async () => {
    const pdf = part('application/pdf; name=plan.pdf', 'JVBERi0=', 'Content-Transfer-Encoding: base64\r\n');
    const related = multipart('mixed', [part('text/html', html), pdf], 'c');
    const mail = multipart('alternative', [part('text/plain', letter), related]);
    expect(await letterOf(`${HEAD}${mail}`)).toMatchObject({
      letter,
      metadata: { attachments: 1 },
      warnings: ['attachments_not_read: 1 (plan.pdf)'],
    });
  });

  test('HTML that only repeats the plain part beside it', async () => {
    const mail = mixed(part('text/plain', letter), part('text/html', html), part('text/plain', 'The list'));
    expect((await letterOf(`${HEAD}${mail}`)).letter).toBe(`${letter}\n\nThe list`);
  });
});

describe('mailToText(): messages inside', () => {
  const inner = `Subject: =?utf-8?q?K=C3=B6ln?=\r\nFrom: yard@example.com\r\nContent-Type: text/html\r\n\r\n<!doctype html><p>${LETTER}`;

  test('reports, attached and forwarded messages are read', async () => {
    const status = part('message/delivery-status', 'Action: failed\r\nDiagnostic-Code: smtp; 550 mailbox is full\r\n');
    const mail = multipart('report', [part('text/plain', 'It came back.'), status, part('message/rfc822', inner)]);
    expect(await letterOf(`${HEAD}${mail}`)).toMatchObject({
      letter: `It came back.\n\nAction: failed\nDiagnostic-Code: smtp; 550 mailbox is full\n\nAttached message:\nSubject: Köln\nFrom: yard@example.com\n\n${LETTER}`,
      warnings: [],
    });
  });

  test('also packed, one in another, as an attachment, and in a digest', async () => {
    const packed = part(
      'message/rfc822',
      Buffer.from(inner).toString('base64'),
      'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n',
    );
    for (const mail of [
      mixed(packed),
      part('message/rfc822', `${HEAD}${part('message/rfc822', inner)}`),
      multipart('digest', [`\r\n${inner}`]),
    ]) {
      expect((await letterOf(`${HEAD}${mail}`)).letter).toContain(
        `Attached message:\nSubject: Köln\nFrom: yard@example.com\n\n${LETTER}`,
      );
    }
  });
});

describe('mailToText(): what is not read', () => {
  const file = (type: string, name: string, body = 'AAAA') =>
    part(
      `${type}; name="${name}"`,
      body,
      `Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="${name}"\r\n`,
    );

  test.each([
    ['an attachment alone', mixed(file('application/pdf', 'scan.pdf')), /only what is not read: scan\.pdf/],
    [
      'an attachment beside an empty text',
      mixed(part('text/plain', ' '), file('application/pdf', 'scan.pdf')),
      /scan\.pdf/,
    ],
    ['a picture alone', part('image/png', 'AAAA', 'Content-Transfer-Encoding: base64\r\n'), /image\/png/],
    ['HTML of pictures alone', part('text/html', '<img src="cid:1">'), /pictures in HTML/],
    [
      'S/MIME',
      part('application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m', 'AAAA'),
      /letter cannot be read: it is smime\.p7m|S\/MIME/,
    ],
    [
      'PGP',
      multipart('encrypted', [
        part('application/pgp-encrypted', 'Version: 1'),
        part('application/octet-stream', 'AAAA'),
      ]),
      /encrypted letter \(PGP\)/,
    ],
    [
      'PGP inside the text',
      part('text/plain', '-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----'),
      /encrypted letter \(PGP\)/,
    ],
    [
      'PGP with a footer',
      part(
        'text/plain',
        `-----BEGIN PGP MESSAGE-----\r\n\r\n${'hQEMA'.repeat(40)}\r\n-----END PGP MESSAGE-----\r\n\r\nThe list`,
      ),
      /encrypted letter \(PGP\)/,
    ],
    ['winmail.dat', mixed(file('application/ms-tnef', 'winmail.dat')), /winmail\.dat/],
    ['a piece of a message', part('message/partial; id=x; number=2; total=3', LETTER), /piece 2 of 3/],
    [
      'a PDF that says it is text',
      part('text/plain', 'JVBERi0xLjcK', 'Content-Transfer-Encoding: base64\r\n'),
      /a PDF/,
    ],
    ['a uuencoded file alone', part('text/plain', 'begin 644 plan.doc\r\n#86)C\r\n`\r\nend\r\n'), /plan\.doc/],
  ])('%s is a problem', async (_, mail, message) => {
    expect(await read(`${HEAD}${mail}`)).toMatchObject({
      kind: 'problem',
      code: 'no_text',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    [
      'files beside the letter',
      mixed(part('text/plain', LETTER), file('application/pdf', 'a.pdf'), file('text/plain', 'b.txt')),
      'attachments_not_read: 2 (a.pdf, b.txt)',
    ],
    [
      'a uuencoded file in the letter',
      part('text/plain', `${LETTER}\r\nbegin 644 plan.doc\r\n#86)C\r\n\`\r\nend\r\n`),
      'attachments_not_read: 1 (plan.doc)',
    ],
  ])('%s are a warning', async (_, mail, warning) => {
    expect(await letterOf(`${HEAD}${mail}`)).toMatchObject({ letter: LETTER, warnings: [warning] });
  });

  test('pictures inside a letter are neither', async () => {
    const picture = part('image/png', 'AAAA', 'Content-Transfer-Encoding: base64\r\nContent-ID: <1>\r\n');
    const mail = multipart('related', [part('text/html', `<p>${LETTER}<img src="cid:1">`), picture]);
    expect(await letterOf(`${HEAD}${mail}`)).toMatchObject({
      letter: LETTER,
      warnings: [],
      metadata: { attachments: 0 },
    });
  });

  test('a letter that is a file with text is read from it', async () => {
    const mail = mixed(file('text/plain; charset=utf-8', 'letter.txt', Buffer.from(LETTER).toString('base64')));
    expect((await letterOf(`${HEAD}${mail}`)).letter).toBe(LETTER);
  });

  test('a mail that is a subject and nothing else is read as that, with a warning', async () => {
    expect(await letterOf(`${HEAD}\r\n`)).toMatchObject({ letter: '', warnings: [expect.stringContaining('no_body')] });
  });

  test('several mails in one file are a problem, one behind a line of an mbox is none', async () => {
    const one = `From a@b Thu Jan  1 00:00:00 2026\r\n${HEAD}\r\n${LETTER}\r\n`;
    expect(await letterOf(one)).toMatchObject({ letter: LETTER });
    expect(await read(`${one}\r\n${one}`)).toMatchObject({ kind: 'problem', code: 'unreadable_file' });
  });
});
