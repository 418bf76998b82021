import type { Language } from './script-texts.ts';

export const POLISH: Language = {
  accents: { train: ['pl'], test: ['pl'] },
  names: {
    train: ['Jan Kowalski', 'Anna Nowak', 'Piotr Zieliński', 'Ewa Mazur'],
    test: ['Marek Wrona', 'Zofia Lis', 'Tomasz Dudek', 'Iga Sowa'],
  },
  firms: {
    train: ['Warsztat Kowalski', 'Klinika Zdrowie', 'Biuro Mazur'],
    test: ['Podróże Wrona', 'Kancelaria Lis', 'Bank Wschodni'],
  },
  sayings: {
    train: {
      opener: [
        'Halo?',
        'Tak?',
        'Słucham?',
        'Dzień dobry',
        'Halo, słucham',
        '{name}, słucham',
        'Kto mówi?',
      ],
      business: [
        '{firm}, dzień dobry',
        '{firm}, {name}, słucham',
        'Dzień dobry, {firm}, w czym mogę pomóc?',
      ],
      longBusiness: [
        'Dzień dobry, dziękujemy za telefon do firmy {firm}, mówi {name}, w czym mogę panu pomóc?',
      ],
      followUp: ['Halo?', 'Halo, jest tam kto?', 'Nic nie słyszę'],
      voicemail: [
        'Cześć, tu {name}.| Nie mogę teraz odebrać.| Zostaw wiadomość po sygnale, a oddzwonię.',
        'Abonent jest chwilowo niedostępny.| Po usłyszeniu sygnału proszę zostawić wiadomość.',
        'Dodzwoniłeś się do {name}.| Proszę podać imię i numer.| Dziękuję.',
        'Dziękujemy za telefon do {firm}.| Nasze biuro jest nieczynne.| Zapraszamy od poniedziałku do piątku.',
        'Numer {digits} nie odpowiada.| Nagraj wiadomość po sygnale.',
      ],
      shortVoicemail: ['Zostaw wiadomość.', 'Tu {name}, mów po sygnale.'],
      prank: ['Żartowałem.| Nie ma mnie w domu.| Zostaw wiadomość.'],
      ivr: [
        'Witamy w {firm}.| Aby połączyć się ze sprzedażą, wybierz jeden.| Aby połączyć się z serwisem, wybierz dwa.',
        'Proszę wpisać numer klienta i zatwierdzić krzyżykiem.',
      ],
      carrier: [
        'Nie ma takiego numeru.',
        'Abonent ma wyłączony telefon lub jest poza zasięgiem.| Prosimy spróbować później.',
      ],
      screener: ['Osoba, do której dzwonisz, sprawdza połączenia.| Podaj swoje imię i powód.'],
    },
    test: {
      opener: [
        'No, słucham',
        'Dobry wieczór',
        'Proszę',
        'Hej',
        'Tu {name}',
        '{name} przy telefonie',
        'Tak, kto tam?',
      ],
      business: ['Tu {firm}, proszę', '{name} z {firm}, dzień dobry', 'Recepcja {firm}'],
      longBusiness: [
        'Witam serdecznie, rozmawia pani z {name} z firmy {firm}, proszę powiedzieć, jak mogę pomóc',
      ],
      followUp: ['Słyszy mnie pan?', 'A kto dzwoni?', 'Proszę mówić głośniej'],
      voicemail: [
        'To jest skrzynka {name}.| Jestem na spotkaniu albo w drodze.| Powiedz, o co chodzi, odezwę się wkrótce.',
        'Osoba, do której dzwonisz, nie może rozmawiać.| Po krótkim dźwięku można nagrać komunikat.',
        'Nie ma nas w domu.| Powiedzcie, kiedy możemy oddzwonić.| Do usłyszenia.',
        'Kontaktują się państwo z {firm} poza godzinami pracy.| Prosimy o pozostawienie numeru.',
        'Połączenie do {digits} skierowano do poczty głosowej.| Proszę mówić.',
      ],
      shortVoicemail: ['Proszę mówić.', '{name}, po dźwięku.'],
      prank: ['Co mówisz, głośniej?| To tylko automat.| Proszę mówić.'],
      ivr: [
        'Łączysz się z {firm}.| Wszyscy konsultanci są zajęci.| Prosimy czekać.',
        'W kilku słowach opisz swoją sprawę.',
      ],
      carrier: [
        'Połączenie nie może być zrealizowane.',
        'Wybrany numer został odłączony.| Sprawdź numer i zadzwoń ponownie.',
      ],
      screener: ['Zanim połączę,| nagraj swoje imię po dźwięku.'],
    },
  },
};
