import { describe, expect, test } from 'vitest';
import { EVENT, HEAD, LETTER, letterOf, mixed, multipart, part, read } from './mail-fixture.ts';

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
