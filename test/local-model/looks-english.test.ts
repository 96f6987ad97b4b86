import { describe, expect, test } from 'vitest';
import { looksEnglish } from '../../src/local-model/looks-english.ts';

describe('looksEnglish()', () => {
  test.each([
    'Why was my card declined?',
    'refund',
    'ok c u l8r, luv u',
    'Fed raises rates as oil prices surge',
    'Café owner José sues Zürich landlord over naïve contract',
    'WIN a FREE prize!!! txt 80082 now',
    '12:30 -- 14:00',
    'The minister said that the vote would be held on Sunday after weeks of talks with the opposition in the capital.',
    'play some despacito by luis fonsi',
  ])('lets %j pass', (text) => {
    expect(looksEnglish(text)).toBe(true);
  });

  test.each([
    'Warum wurde meine Karte abgelehnt und wie bekomme ich mein Geld zurück?',
    'Je voudrais changer mon adresse, est-ce que vous pouvez m’aider ?',
    'No puedo entrar en mi cuenta porque olvidé la contraseña',
    'Il mio pagamento non è andato a buon fine, cosa devo fare?',
    'Ik wil graag mijn abonnement opzeggen maar het lukt niet',
    'Nie mogę się zalogować na moje konto',
    'Não consigo acessar a minha conta, você pode me ajudar?',
    'Почему моя карта отклонена?',
    '我的卡为什么被拒绝了',
    'なぜカードが拒否されたのですか',
    'لماذا تم رفض بطاقتي',
    'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua ut enim ad minim veniam quis nostrud',
  ])('turns %j down', (text) => {
    expect(looksEnglish(text)).toBe(false);
  });
});
