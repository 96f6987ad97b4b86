import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { mailToText } from '../../../src/adapters/document-parser/mail-to-text.ts';

/** Mails that Python's email package builds, and the words that it finds in each again; seeded. */
const SCRIPT = `
import base64, email, email.policy, json, random, sys
from email.message import EmailMessage
WORDS = {
  'utf-8': 'pallet Köln März 東京 warehouse Привет ñandú €18 naïve'.split(),
  'iso-8859-1': 'pallet Köln März señor garçon warehouse'.split(),
  'windows-1252': 'pallet Köln „März“ €18 warehouse'.split(),
  'iso-8859-2': 'pallet zażółć gęślą jaźń'.split(),
  'koi8-r': 'паллеты склад пятница'.split(),
  'shift_jis': '倉庫 金曜日 です'.split(),
  'iso-2022-jp': '倉庫 金曜日 です'.split(),
  'gb18030': '仓库 星期五 你好'.split(),
  'big5': '倉庫 星期五'.split(),
  'euc-kr': '창고 금요일'.split(),
  'cp850': 'Köln März señor'.split(),
  'cp437': 'Köln Mäuse'.split(),
  'cp852': 'żółć łódź'.split(),
  'utf-16': 'Köln 東京 warehouse'.split(),
  'utf-7': 'Köln 東京 a+b warehouse'.split(),
  'us-ascii': 'forty pallets by Friday = 3D'.split(),
}
def text(r, charset):
    return ' '.join(r.choice(WORDS[charset]) for _ in range(r.randint(5, 60))) + '\\n'
def leaf(r, subtype='plain'):
    charset = r.choice(list(WORDS))
    body = text(r, charset)
    cte = r.choice(['base64', 'quoted-printable', '8bit'])
    if charset == 'utf-16': cte = 'base64'
    raw = ('<p>' + body + '</p>' if subtype == 'html' else body).encode(charset)
    m = EmailMessage()
    if cte == 'base64': packed = base64.encodebytes(raw)
    elif cte == 'quoted-printable':
        import quopri
        packed = quopri.encodestring(raw)
    else: packed = raw
    head = 'Content-Type: text/%s; charset="%s"\\nContent-Transfer-Encoding: %s\\n\\n' % (subtype, charset, cte)
    return head.encode() + packed, body
def tree(r, depth):
    kind = r.choice(['leaf', 'mixed', 'message', 'related', 'file']) if depth < 3 else 'leaf'
    if kind == 'leaf':
        part, body = leaf(r, r.choice(['plain', 'html', 'plain', 'x-note']))
        return part, [body]
    if kind == 'file':
        return b'Content-Type: application/octet-stream; name=x.bin\\nContent-Disposition: attachment\\nContent-Transfer-Encoding: base64\\n\\nAAECAwQ=\\n', []
    if kind == 'message':
        part, bodies = tree(r, depth + 1)
        return b'Content-Type: message/rfc822\\n\\nSubject: inner\\n' + part, bodies + ['inner']
    boundary = 'b%d-%d' % (depth, r.randint(0, 10**9))
    parts = [tree(r, depth + 1) for _ in range(r.randint(1, 3))]
    out = ('Content-Type: multipart/%s;\\n boundary="%s"\\n\\nPreamble\\n' % (kind, boundary)).encode()
    for part, _ in parts: out += ('--%s\\n' % boundary).encode() + part + b'\\n'
    return out + ('--%s--\\nEpilogue\\n' % boundary).encode(), [b for _, bs in parts for b in bs]
found = []
for seed in range(int(sys.argv[1])):
    r = random.Random(seed)
    part, bodies = tree(r, 0)
    charset = r.choice([c for c in WORDS if c not in ('utf-16', 'utf-7')])
    subject = text(r, charset).strip()
    mail = EmailMessage(policy=email.policy.SMTP)
    from email.header import Header
    head = 'Subject: ' + Header(subject, charset, header_name='Subject').encode() + '\\nFrom: a@b.test\\nMIME-Version: 1.0\\n'
    raw = head.encode() + part
    if r.random() < .5: raw = raw.replace(b'\\r\\n', b'\\n').replace(b'\\n', b'\\r\\n')
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    found.append(dict(raw=base64.b64encode(raw).decode(), subject=str(parsed['subject']), bodies=bodies))
json.dump(found, sys.stdout)
`;
const MAILS = 400;
const python = spawnSync('python3', ['-c', SCRIPT, String(MAILS)], {
  encoding: 'utf8',
  maxBuffer: 2 ** 28,
  env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
});

describe.skipIf(python.status !== 0)("mailToText() beside Python's email package", () => {
  test(`finds every word of ${MAILS} mails with parts in parts, in sixteen encodings`, async () => {
    const mails = JSON.parse(python.stdout) as { raw: string; subject: string; bodies: string[] }[];
    expect(mails).toHaveLength(MAILS);
    for (const [seed, { raw, subject, bodies }] of mails.entries()) {
      const parsed = await mailToText(Buffer.from(raw, 'base64'), { maxTextUnits: 10_000_000 });
      if (bodies.length === 0) {
        expect(parsed, `seed ${seed}`).toMatchObject({ kind: 'problem', code: 'no_text' });
        continue;
      }
      if (parsed.kind !== 'text') throw new Error(`seed ${seed}: ${parsed.message}`);
      const lost = bodies.flatMap((body) => body.split(/\s+/)).filter((word) => !parsed.text.includes(word));
      expect({ seed, lost, subject: parsed.metadata.subject }).toEqual({ seed, lost: [], subject: subject.trim() });
      expect(parsed.text).not.toMatch(/\ufffd|Preamble|Epilogue/);
    }
  });
});
