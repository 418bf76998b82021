import type { Language } from './script-texts.ts';

export const DUTCH: Language = {
  accents: { train: ['nl'], test: ['nl'] },
  names: {
    train: ['Jan de Vries', 'Sanne Bakker', 'Kees Visser', 'Els Smit'],
    test: ['Pieter Mulder', 'Anke Bos', 'Daan Vos', 'Mieke Kok'],
  },
  firms: {
    train: ['Garage Bakker', 'Praktijk Visser', 'Waterbedrijf Noord'],
    test: ['Reisbureau Mulder', 'Makelaardij Bos', 'Bank van het Oosten'],
  },
  sayings: {
    train: {
      opener: [
        'Hallo?',
        'Met {name}',
        'Ja?',
        'Hallo, met {name}',
        'Goedemorgen',
        'Ja, hallo?',
        'Met wie spreek ik?',
      ],
      business: [
        '{firm}, goedemorgen',
        '{firm}, met {name}',
        'Goedemiddag, {firm}, u spreekt met {name}',
      ],
      longBusiness: [
        'Goedemorgen, welkom bij {firm}, u spreekt met {name}, waarmee kan ik u van dienst zijn?',
      ],
      followUp: ['Hallo? Is daar iemand?', 'Hallo?', 'Ik hoor niets'],
      voicemail: [
        'Hallo, dit is de voicemail van {name}.| Ik kan nu niet opnemen.| Spreek een bericht in na de piep, dan bel ik terug.',
        'Degene die u belt is op dit moment niet bereikbaar.| U kunt een bericht inspreken na de toon.',
        'U bent verbonden met het antwoordapparaat van {firm}.| Wij zijn gesloten.| Belt u ons op werkdagen tussen negen en vijf.',
        'Met {name}.| Laat een bericht achter.| Dank u wel.',
        'Het nummer {digits} neemt niet op.| Spreek in na de pieptoon.',
      ],
      shortVoicemail: ['Spreek in na de piep.', 'Met {name}, laat een bericht achter.'],
      prank: ['Gefopt.| Ik ben er niet.| Spreek in na de piep.'],
      ivr: [
        'Welkom bij {firm}.| Voor verkoop, toets een.| Voor service, toets twee.',
        'Toets uw klantnummer in, gevolgd door een hekje.',
      ],
      carrier: [
        'Dit nummer is niet in gebruik.',
        'De abonnee die u belt is niet bereikbaar.| Probeer het later nog eens.',
      ],
      screener: ['De persoon die u belt, controleert zijn oproepen.| Noem uw naam en de reden.'],
    },
    test: {
      opener: [
        'Dag',
        'Zeg het eens',
        '{name} hier',
        'Goedenavond',
        'Ja, met {name}',
        'Hoi',
        'Wie is dit?',
      ],
      business: ['U spreekt met {firm}', '{firm}, {name}, dag', 'Receptie {firm}, goedendag'],
      longBusiness: [
        'Goedendag, u bent verbonden met {name} van {firm}, zegt u het maar, hoe kan ik u helpen?',
      ],
      followUp: ['Hoort u mij?', 'Met wie eigenlijk?', 'Bent u er nog?'],
      voicemail: [
        'Je hebt {name} gebeld.| Ik zit in een vergadering of in de auto.| Vertel wie je bent en wat je wilt.',
        'De gebruiker van dit toestel is afwezig.| Na het signaal kunt u uw boodschap opnemen.',
        'Wij zijn even weg.| Zeg maar waar het over gaat.| Tot gauw.',
        'Dank voor uw telefoontje naar {firm}.| Onze medewerkers zijn al naar huis.| Noem uw naam en nummer.',
        'Uw gesprek voor {digits} is doorgeschakeld naar een postbus.| Begin maar te praten.',
      ],
      shortVoicemail: ['Boodschap na het signaal.', '{name}, praat na de toon.'],
      prank: ['Wat zeg je, harder?| Het is maar een bandje.| Begin maar te praten.'],
      ivr: [
        'U belt met {firm}.| Alle medewerkers zijn in gesprek.| Een ogenblik geduld.',
        'Vertel in een paar woorden waarover u belt.',
      ],
      carrier: [
        'Uw oproep kan niet tot stand worden gebracht.',
        'Dit toestel is afgesloten.| Controleer het nummer en bel opnieuw.',
      ],
      screener: ['Voordat ik u doorverbind,| zeg na de toon uw naam.'],
    },
  },
};
