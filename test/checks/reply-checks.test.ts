import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { languageCode, languageProblem } from '../../src/checks/language.ts';
import { namesNotFound } from '../../src/checks/names.ts';
import { numbersNotFound } from '../../src/checks/numbers.ts';
import { findPreamble } from '../../src/checks/preamble.ts';
import { checkSummary, type ReplyChecks } from '../../src/checks/reply-checks.ts';

const NONE: ReplyChecks = { language: false, numbers: false, names: false, preamble: false, forbidden: [] };

const GERMAN =
  'Die Stadtverwaltung hat gestern beschlossen, die alte Brücke über den Fluss im kommenden Jahr vollständig zu erneuern. ' +
  'Die Arbeiten sollen im Frühjahr beginnen und werden voraussichtlich zwei Jahre dauern, sagte der Bürgermeister.';
const ENGLISH =
  'The city council decided yesterday to rebuild the old bridge over the river completely in the coming year. ' +
  'The work is to begin in spring and will take about two years, the mayor said at the meeting.';
const FRENCH =
  'Le conseil municipal a décidé hier de reconstruire entièrement le vieux pont sur la rivière au cours de l’année prochaine. ' +
  'Les travaux doivent commencer au printemps et dureront environ deux ans, a déclaré le maire.';

describe('numbersNotFound()', () => {
  it.each([
    ['1,234.50', 'It cost 1.234,50 Euro.'],
    ['1234.5', 'It cost 1,234.50 dollars.'],
    ['12%', 'a rise of 12 percent'],
    ['12 %', 'a share of 0.12'],
    ['12', 'the twelve jurors'],
    ['25', 'twenty-five people'],
    ['200,000', 'two hundred thousand votes'],
    ['6.5', 'an average of six point five'],
    ['1.2 million', 'exactly 1,234,567 units'],
    ['1,200,000', 'some 1.2 million units'],
    ['$3bn', 'three billion dollars'],
    ['2 Mio.', 'zwei Millionen, also 2000000'],
    ['1616', 'buried on April 23,1616'],
    ['5:30', 'the train at 5.30 pm'],
    ['90', 'born in 1990'],
    ['1 000 000', 'a town of 1000000'],
    ['12', 'en la página doce'],
    ['3', '参加者は三人'],
    ['30', '约三十人'],
    ['12', '١٢ شخصا'],
    ['10', 'about 9.7 seconds'],
    ['21st', 'the 21 March'],
  ])('finds %s in %s', (number, source) => {
    expect(numbersNotFound(`There were ${number} of it.`, source)).toEqual([]);
  });

  it.each([
    ['13', 'the twelve jurors'],
    ['2016', 'in 2014 and 2018'],
    ['2020', 'in 2019'],
    ['1.3 million', 'exactly 1,234,567 units'],
    ['15%', 'a rise of 12 percent'],
    ['500', 'at least 600 people'],
    ['12', 'no number at all'],
    ['1234', '1 and 234'],
  ])('does not find %s in %s', (number, source) => {
    expect(numbersNotFound(`There were ${number} of it.`, source)).toEqual([number]);
  });

  it('finds the numbers of a text in that text, whatever it is', () => {
    const mixed = fc.array(
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.nat().map(String),
        fc.constantFrom('.', ',', ' ', '%', ' million', '-'),
      ),
    );
    fc.assert(
      fc.property(mixed, (parts) => {
        expect(numbersNotFound(parts.join(''), parts.join(''))).toEqual([]);
      }),
    );
  });
});

describe('namesNotFound()', () => {
  const source =
    'Chancellor Angela Merkel met François Hollande in the town of Saarbrücken, officials in America said.';

  it('finds names by any of their words, with other endings and without accents', () => {
    const summary = 'There, Angela Merkel saw President Francois Hollande; the American Officials agreed.';
    expect(namesNotFound(summary, source)).toEqual([]);
  });

  it('names what the source does not have, but no single words and no beginnings of sentences', () => {
    expect(namesNotFound('Then she met Boris Johnson. Great Things followed in London.', source)).toEqual([
      'Boris Johnson',
    ]);
  });

  it('says nothing where nouns are written with capitals, and of scripts without them', () => {
    const german = `${'Der Hund und die Katze sehen das Haus am Fluss. '.repeat(12)}`;
    expect(namesNotFound('Dort wohnt Boris Johnson.', german)).toEqual([]);
    expect(namesNotFound('那里住着鲍里斯·约翰逊。', '文件里没有他。')).toEqual([]);
  });
});

describe('languageProblem()', () => {
  it('names a summary in another language than its source, or than the one asked for', () => {
    expect(languageProblem(ENGLISH, GERMAN, undefined)).toEqual({ found: 'English', wanted: 'German' });
    expect(languageProblem(GERMAN, ENGLISH, undefined)).toEqual({ found: 'German', wanted: 'English' });
    expect(languageProblem(ENGLISH, ENGLISH, 'German')).toEqual({ found: 'English', wanted: 'German' });
    expect(languageProblem(FRENCH, GERMAN, 'Deutsch')).toEqual({ found: 'French', wanted: 'Deutsch' });
  });

  it('takes the right language, short and mixed texts and unknown languages as right', () => {
    for (const text of [GERMAN, ENGLISH, FRENCH]) expect(languageProblem(text, text, undefined)).toBeUndefined();
    expect(languageProblem(GERMAN, ENGLISH, 'German')).toBeUndefined();
    expect(languageProblem('Apple, Microsoft, Google.', GERMAN, undefined)).toBeUndefined();
    expect(languageProblem(ENGLISH, GERMAN, 'Klingon')).toBeUndefined();
    const mixed = `${GERMAN.repeat(10)}${ENGLISH.repeat(10)}${FRENCH.repeat(10)}`;
    expect(languageProblem(ENGLISH, mixed, undefined)).toBeUndefined();
    expect(languageProblem(ENGLISH, '1 2 3', undefined)).toBeUndefined();
  });

  it('knows a language by its English name, its own name and its code', () => {
    for (const name of ['German', 'deutsch', 'de', 'de-AT', ' GERMAN ']) expect(languageCode(name), name).toBe('de');
    expect(languageCode('Simple words')).toBeUndefined();
  });
});

describe('findPreamble()', () => {
  it.each([
    ['Here is a summary of the document: The bridge …'],
    ["Sure! Here's a concise summary of the text:"],
    ['Here are the key points in summary: …'],
    ['Summary: The bridge …'],
    ['**Summary of the report:** The bridge'],
    ['This is a brief overview of the article.'],
    ['Hier ist eine kurze Zusammenfassung des Textes:'],
    ['Voici un résumé du document :'],
    ['以下是该文档的摘要：'],
    ['As an AI language model, I cannot read this.'],
    ["I'm sorry, but I can't help with that."],
    ['I cannot summarize this document because it is empty.'],
    ['Please provide the text to summarize.'],
  ])('finds %s', (summary) => {
    expect(findPreamble(summary, ENGLISH)).toBeDefined();
  });

  it.each([
    ['The council publishes a summary of its meeting.'],
    ['Here, in the north, the river is wide.'],
    ['This is the story of a bridge.'],
    ['The author says AI is an overview of nothing.'],
    ['Sorry was the word that the mayor used.'],
    ['Certainly the most expensive bridge, it will take two years.'],
  ])('lets %s pass', (summary) => {
    expect(findPreamble(summary, ENGLISH)).toBeUndefined();
  });

  it('lets words pass that the document has itself', () => {
    expect(
      findPreamble('As an AI language model, I …', 'It wrote: As an AI language model, I refuse.'),
    ).toBeUndefined();
  });
});

describe('checkSummary()', () => {
  it('does nothing where no check is asked for', () => {
    expect(checkSummary(NONE, { summary: 'Summary: 12 people met Boris Johnson.', source: 'x' })).toEqual([]);
  });

  it.each([
    ['preamble', { ...NONE, preamble: true }, 'Here is a summary: nothing'],
    ['forbidden_text', { ...NONE, forbidden: [{ kind: 'phrase', phrase: 'Top Secret' }] }, 'It is TOP SECRET.'],
    [
      'forbidden_text',
      { ...NONE, forbidden: [{ kind: 'pattern', pattern: 'no\\.? \\d{1,3}', flags: 'i' }] },
      'File No. 12',
    ],
    ['wrong_language', { ...NONE, language: true }, GERMAN],
    ['numbers_not_found', { ...NONE, numbers: true }, 'It took 17 years.'],
    ['names_not_found', { ...NONE, names: true }, 'There was Boris Johnson.'],
  ] as const)('gives the code %s', (code, checks, summary) => {
    expect(checkSummary(checks, { summary, source: ENGLISH })[0]?.code).toBe(code);
  });

  it('does not quote what a pattern found, because the repair turn goes to the provider', () => {
    const checks = { ...NONE, forbidden: [{ kind: 'pattern', pattern: '\\w{1,20}@example', flags: '' }] } as const;
    expect(checkSummary(checks, { summary: 'ask jane@example', source: '' })[0]?.detail).not.toContain('jane');
  });

  it('takes no more than a second for a summary and a source of any kind', () => {
    const checks: ReplyChecks = { language: true, numbers: true, names: true, preamble: true, forbidden: [] };
    for (const unit of ['1', '1,', '1 ', 'A', 'Ab ', '一', 'here is ', 'twenty ', '.', '\ud800', '%']) {
      const source = unit.repeat(300_000 / unit.length);
      const startedAt = process.cpuUsage();
      checkSummary(checks, { summary: `${source.slice(0, 20_000)} 7`, source });
      expect(process.cpuUsage(startedAt).user, unit).toBeLessThan(3_000_000);
    }
  });
});
