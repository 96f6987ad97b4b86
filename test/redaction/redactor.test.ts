import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSensitive } from '../../src/redaction/find-sensitive.ts';
import { jsonEscaped } from '../../src/redaction/json-escaped.ts';
import { REDACTION_RULES, type RedactionPolicy } from '../../src/redaction/redaction-policy.ts';
import { Redactor } from '../../src/redaction/redactor.ts';
import { cpuMs } from '../helpers/cpu-time.ts';

const ALL: RedactionPolicy = {
  rules: REDACTION_RULES,
  patterns: [{ name: 'staff', pattern: 'EMP-\\d{4,8}', flags: 'u' }],
};

const VALUES = [
  'jane@example.com',
  'JANE@example.com',
  '+49 170 1234567',
  '(212) 555-0123',
  '4111 1111 1111 1111',
  'DE89 3704 0044 0532 0130 00',
  '10.1.2.3',
  'sk-abcdEFGH1234ijklMNOP5678',
  'password: hun"ter2\\x',
  'EMP-12345',
  '[EMAIL_1]',
  '[email 2]',
  '[LITERAL_1]',
  'PHONE_1',
  '\\[CARD\\_1\\]',
  '[STAFF_99]',
];
/** Running text, values, and what may make a value of two pieces. */
const piece = fc.oneof(
  fc.constantFrom(...VALUES),
  fc.constantFrom(' ', '\n', ', ', '', '@', '[', ']', ':', '+', '.', '0', '(', '-'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const someText = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
const somePolicy = fc.record({
  rules: fc.subarray([...REDACTION_RULES]),
  patterns: fc.subarray([...ALL.patterns]),
});

describe('Redactor', () => {
  it('gives a value one placeholder in all texts about a document, numbered by its first place there', () => {
    const redactor = Redactor.of('Ask b@example.com, then a@example.com or 10.0.0.1, then b@example.com.', ALL);
    const { texts } = redactor.redact(['a@example.com at 10.0.0.1', 'b@example.com']);
    expect(texts).toEqual(['[EMAIL_2] at [IP_1]', '[EMAIL_1]']);
    expect(redactor.counts).toEqual({ email: 3, ip: 1 });
  });

  it('gives the same placeholders in whatever order the parts of a document are asked about', () => {
    const text = 'Ask b@example.com, then a@example.com.';
    const parts = ['then a@example.com.', 'Ask b@example.com, ', 'unknown c@example.com, d@example.com'];
    const forward = Redactor.of(text, ALL);
    const backward = Redactor.of(text, ALL);
    const inOrder = parts.map((part) => forward.redact([part]).texts[0]);
    const turned = [...parts].reverse().map((part) => backward.redact([part]).texts[0]);
    expect(turned.reverse()).toEqual(inOrder);
    expect(inOrder[2]).toBe('unknown [EMAIL_3], [EMAIL_4]');
  });

  it('hides a pattern of the config, and both of two findings that overlap', () => {
    const policy = { ...ALL, patterns: [{ name: 'desk', pattern: 'desk [a-z]{1,9}', flags: '' }] };
    const text = 'at desk jane@example.com today';
    const { texts, restore } = Redactor.of(text, policy).redact([text]);
    expect(texts).toEqual(['at [EMAIL_1] today']);
    expect(restore(texts[0] ?? '').text).toBe(text);
  });

  it('restores placeholders that the model has changed, and names those that stand for nothing', () => {
    const text = 'Ask a@example.com or b@example.com.';
    const { restore } = Redactor.of(text, ALL).redact([text]);
    for (const written of [
      '[EMAIL_2]',
      '[email 2]',
      '[Email-2]',
      '[ EMAIL_2 ]',
      '\\[EMAIL\\_2\\]',
      'EMAIL_2',
      '[EMAIL2]',
    ]) {
      expect(restore(`see ${written}.`), written).toEqual({ text: 'see b@example.com.', unknown: [] });
    }
    expect(restore('[EMAIL_3] or [PHONE_1]').unknown).toEqual(['[EMAIL_3]', '[PHONE_1]']);
    expect(restore('email 2, [sic], [1], EMAIL_77')).toEqual({ text: 'email 2, [sic], [1], EMAIL_77', unknown: [] });
  });

  it('does not take text of the document for a placeholder', () => {
    const text = 'The form says [EMAIL_1]; write to a@example.com.';
    const { texts, restore } = Redactor.of(text, ALL).redact([text]);
    expect(texts).toEqual(['The form says [LITERAL_1]; write to [EMAIL_1].']);
    expect(restore('[LITERAL_1] is a@example.com: [EMAIL_1]').text).toBe('[EMAIL_1] is a@example.com: a@example.com');
  });

  it('writes values so that a JSON reply stays one', () => {
    const text = 'password: "hun\\\\ter2!x" ok';
    const { texts, restore } = Redactor.of(text, ALL).redact([text]);
    expect(texts[0]).toContain('[SECRET_1]');
    const reply = JSON.stringify({ summary: texts[0] });
    expect(JSON.parse(restore(reply, jsonEscaped).text)).toEqual({ summary: text });
  });

  it('hides what a cut between two parts has left of a value', () => {
    const text = 'Numbers: +49 170 1234567 and jane.doe@example.com';
    const redactor = Redactor.of(text, ALL);
    const isIn = (from: string, cut: number) => cut > text.indexOf(from) && cut < text.indexOf(from) + from.length;
    const values = ['+49 170 1234567', 'jane.doe@example.com'];
    for (let cut = 1; cut < text.length; cut++) {
      const parts = [text.slice(0, cut), text.slice(cut)];
      const { texts, restore } = redactor.redact(parts);
      expect(texts.map((part) => restore(part).text)).toEqual(parts);
      const [head = '', tail = ''] = texts;
      for (const value of values) {
        // Fewer than four characters say nothing.
        if (!isIn(value, cut)) expect(texts.join('')).not.toContain(value.slice(0, 4));
        else {
          const at = text.indexOf(value);
          if (cut - at > 3) expect(head).not.toContain(text.slice(at, cut));
          if (at + value.length - cut > 3) expect(tail).not.toContain(text.slice(cut, at + value.length));
        }
      }
    }
  });

  it('gives back text that looks like a placeholder once the value beside it is hidden', () => {
    const policy = { rules: ['phone'], patterns: [{ name: 'staff', pattern: 'EMP-\\d{4,8}', flags: 'u' }] } as const;
    const redactor = Redactor.of('(212) 555-0123', policy);
    const { texts, restore } = redactor.redact(['PHONE_1EMP-12345']);
    expect(restore(texts[0] ?? '').text).toBe('PHONE_1EMP-12345');
  });

  it('gives back any text, whatever the policy', () => {
    fc.assert(
      fc.property(someText, someText, somePolicy, (document, other, policy) => {
        const redactor = Redactor.of(document, policy);
        const { texts, restore } = redactor.redact([document, other, `${other}${document}`]);
        expect(texts.map((text) => restore(text).text)).toEqual([document, other, `${other}${document}`]);
        expect(texts.flatMap((text) => restore(text).unknown)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('finds a value that stands without a space between it and the rest of another one', () => {
    const document =
      'JANE@example.comsk-abcdEFGH1234ijklMNOP5678 jane@example.comJANE@example.com sk-abcdEFGH1234ijklMNOP5678jane@example.com';
    const [redacted = ''] = Redactor.of(document, { ...ALL, patterns: [] }).redact([document]).texts;
    expect(redacted).not.toContain('sk-abcd');
  });

  it('leaves nothing to find in what it has redacted', () => {
    fc.assert(
      fc.property(someText, (document) => {
        const [redacted = ''] = Redactor.of(document, { ...ALL, patterns: [] }).redact([document]).texts;
        const left = findSensitive(redacted, { ...ALL, patterns: [] });
        expect(left.map(({ start, end }) => redacted.slice(start, end))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('never throws and takes time in proportion to the text, whatever is repeated', () => {
    const units = [
      '1',
      '1 ',
      '1.',
      '+1',
      'a',
      'a@',
      'a-',
      ':',
      '((',
      '4111 ',
      'DE89 ',
      'key=',
      'tel ',
      '://a:',
      '[EMAIL_',
    ];
    units.push('eyJaaaaaaaa.', '-----BEGIN PRIVATE KEY-----', '[EMAIL_1]', 'u@ex.com ', '\ud800', '0 0/', '=', 'EMP-');
    /** Of up to four rounds, until one takes no more than `enough`. */
    const best = (unit: string, size: number, enough = 0): number => {
      const text = unit.repeat(Math.ceil(size / unit.length));
      let fastest = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 4 && fastest > enough; round++) {
        let restored = '';
        const cpu = cpuMs(() => {
          const { texts, restore } = Redactor.of(text, ALL).redact([text]);
          restored = restore(texts[0] ?? '').text;
        });
        expect(restored).toBe(text);
        fastest = Math.min(fastest, cpu);
      }
      return fastest;
    };
    for (const unit of units) {
      // Eight times the text: quadratic work would take 64 times as long. The constant covers start-up and noise.
      const most = 24 * best(unit, 12_500) + 60;
      expect(best(unit, 100_000, most), unit).toBeLessThanOrEqual(most);
    }
  });
});
