import type { Language } from './script-texts.ts';

export const GERMAN: Language = {
  accents: { train: ['de'], test: ['de'] },
  names: {
    train: ['Schmidt', 'Anna Weber', 'Thomas Becker', 'Meyer'],
    test: ['Hoffmann', 'Lena Vogel', 'Jürgen Krause', 'Brandt'],
  },
  firms: {
    train: ['Autohaus Becker', 'Praxis Doktor Weber', 'Stadtwerke'],
    test: ['Reisebüro Vogel', 'Kanzlei Krause', 'Sparkasse Mitte'],
  },
  sayings: {
    train: {
      opener: [
        'Hallo?',
        'Ja?',
        '{name}',
        'Ja, hallo?',
        '{name}, guten Tag',
        'Hier ist {name}',
        'Guten Morgen',
        'Ja bitte?',
        'Wer ist da?',
      ],
      business: ['{firm}, guten Tag', '{firm}, mein Name ist {name}', 'Guten Tag, {firm}, {name}'],
      longBusiness: [
        'Guten Tag, herzlich willkommen bei {firm}, mein Name ist {name}, was kann ich für Sie tun?',
      ],
      followUp: ['Hallo? Ist da jemand?', 'Hallo?', 'Ich höre Sie nicht'],
      voicemail: [
        'Guten Tag, hier ist der Anrufbeantworter von {name}.| Ich bin zurzeit nicht erreichbar.| Bitte hinterlassen Sie eine Nachricht nach dem Signalton.',
        'Der gewünschte Gesprächspartner ist zurzeit nicht erreichbar.| Bitte sprechen Sie nach dem Ton.',
        'Hallo, das ist die Mailbox von {name}.| Sprich mir was drauf, ich rufe zurück.| Tschüss.',
        'Sie haben {firm} angerufen.| Unser Büro ist im Moment nicht besetzt.| Sie erreichen uns Montag bis Freitag von acht bis siebzehn Uhr.',
        'Willkommen bei der Mailbox der Rufnummer {digits}.| Bitte hinterlassen Sie eine Nachricht.',
      ],
      shortVoicemail: ['Nachricht nach dem Ton.', 'Hier {name}, bitte aufs Band sprechen.'],
      prank: ['Reingefallen.| Ich bin gar nicht da.| Sprich nach dem Piep.'],
      ivr: [
        'Willkommen bei {firm}.| Für den Verkauf drücken Sie die Eins.| Für den Service drücken Sie die Zwei.',
        'Bitte geben Sie Ihre Kundennummer ein und bestätigen Sie mit der Rautetaste.',
      ],
      carrier: [
        'Kein Anschluss unter dieser Nummer.',
        'Die von Ihnen gewählte Rufnummer ist nicht vergeben.| Bitte rufen Sie die Auskunft an.',
      ],
      screener: [
        'Der Teilnehmer nimmt nur angekündigte Anrufe an.| Bitte nennen Sie Ihren Namen und den Grund.',
      ],
    },
    test: {
      opener: [
        'Tach',
        'Ja, wer spricht?',
        '{name} am Apparat',
        'Grüß Gott',
        'Moin',
        'Hallo, {name} hier',
        'Ja, grüße Sie',
        'Guten Abend',
        'Na, was gibt es?',
      ],
      business: ['{firm}, {name} am Apparat', 'Hier {firm}, hallo', 'Zentrale {firm}, guten Tag'],
      longBusiness: [
        'Schönen guten Tag, Sie sprechen mit {name} von {firm}, wie darf ich Ihnen behilflich sein?',
      ],
      followUp: ['Sind Sie noch dran?', 'Mit wem spreche ich denn?', 'Hören Sie mich?'],
      voicemail: [
        'Leider bin ich gerade unterwegs.| Hier spricht die Maschine von {name}.| Name, Nummer und Anliegen genügen, dann melde ich mich.',
        'Die Person, die Sie angerufen haben, kann Ihren Anruf nicht entgegennehmen.| Nach dem Signal können Sie sprechen.',
        'Wir sind nicht zu Hause.| Erzählt uns einfach, worum es geht.| Bis bald.',
        'Vielen Dank für Ihren Anruf bei {firm}.| Sie rufen außerhalb unserer Geschäftszeiten an.| Teilen Sie uns bitte Ihre Rückrufnummer mit.',
        'Ihr Anruf für {digits} wurde an eine Sprachbox weitergeleitet.| Bitte reden Sie jetzt.',
      ],
      shortVoicemail: ['Jetzt sprechen, bitte.', '{name}, nach dem Piep.'],
      prank: ['Wie bitte, lauter?| Nein, das ist nur die Box.| Bitte reden Sie jetzt.'],
      ivr: [
        'Sie sind verbunden mit {firm}.| Zurzeit sind alle Plätze belegt.| Bitte legen Sie nicht auf.',
        'Sagen Sie uns bitte, um welches Thema es geht.',
      ],
      carrier: [
        'Ihr Anruf kann im Moment nicht vermittelt werden.',
        'Der Teilnehmer ist vorübergehend nicht erreichbar.| Versuchen Sie es später noch einmal.',
      ],
      screener: ['Bevor ich Sie durchstelle,| nennen Sie nach dem Ton Ihren Namen.'],
    },
  },
};
