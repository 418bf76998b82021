import type { Language } from './script-texts.ts';

export const ITALIAN: Language = {
  accents: { train: ['it'], test: ['it'] },
  names: {
    train: ['Marco Rossi', 'Giulia Ferri', 'Anna Conti', 'Luca Greco'],
    test: ['Paola Serra', 'Dario Villa', 'Irene Monti', 'Nino Costa'],
  },
  firms: {
    train: ['Officina Rossi', 'Studio Conti', 'Assicurazioni Ferri'],
    test: ['Agenzia Villa', 'Clinica Aurora', 'Banca del Lago'],
  },
  sayings: {
    train: {
      opener: [
        'Pronto?',
        'Pronto, chi è?',
        'Sì?',
        'Ciao',
        'Pronto, buongiorno',
        '{name}',
        'Pronto, sono {name}',
        'Sì, pronto?',
      ],
      business: ['{firm}, buongiorno', '{firm}, sono {name}', 'Buongiorno, {firm}, mi dica'],
      longBusiness: [
        'Buongiorno, grazie per aver chiamato {firm}, sono {name}, come posso aiutarla oggi?',
      ],
      followUp: ['Pronto?', 'Pronto, c’è qualcuno?', 'Non sento niente'],
      voicemail: [
        'Ciao, sono {name}.| Ora non posso rispondere.| Lascia un messaggio dopo il segnale e ti richiamo.',
        'Segreteria telefonica.| La persona chiamata non è al momento raggiungibile.| Lasciate un messaggio dopo il segnale acustico.',
        'Risponde la segreteria di {name}.| Lasciate nome e numero, grazie.',
        'Grazie per aver chiamato {firm}.| I nostri uffici sono chiusi.| Richiamate dal lunedì al venerdì.',
        'Il numero {digits} non risponde.| Registrate il messaggio dopo il bip.',
      ],
      shortVoicemail: ['Lasciate un messaggio.', 'Sono {name}, parla dopo il bip.'],
      prank: ['Ci sei cascato.| Non ci sono.| Lascia un messaggio.'],
      ivr: [
        'Benvenuto in {firm}.| Per informazioni, prema uno.| Per assistenza, prema due.',
        'Digiti il codice cliente seguito da cancelletto.',
      ],
      carrier: [
        'Il numero selezionato è inesistente.',
        'Il cliente da lei chiamato potrebbe avere il telefono spento.| La preghiamo di riprovare più tardi.',
      ],
      screener: ['La persona che chiama controlla le chiamate.| Dica il suo nome e il motivo.'],
    },
    test: {
      opener: [
        'Chi parla?',
        'Buonasera',
        'Sì, dica',
        'Eccomi',
        'Parla {name}',
        'Qui {name}, pronto',
        'Ehi, ciao',
        'Mi dica pure',
      ],
      business: ['Qui {firm}, dica pure', '{name}, {firm}, buonasera', 'Centralino {firm}'],
      longBusiness: [
        'Buonasera e benvenuto, lei parla con {name} di {firm}, in che cosa posso esserle utile?',
      ],
      followUp: ['Mi sente?', 'Ma chi è?', 'Guardi che non si sente'],
      voicemail: [
        'Avete cercato {name}.| Sono in viaggio o in riunione.| Ditemi chi siete e vi chiamo appena possibile.',
        'L’utente desiderato non è disponibile.| Dopo il tono è possibile registrare un avviso.',
        'Non siamo in casa.| Diteci tutto, prima o poi torniamo.| A presto.',
        'Avete chiamato {firm} fuori orario.| Indicate il vostro recapito e sarete richiamati.',
        'La chiamata per {digits} è stata deviata alla casella vocale.| Prego, parlate.',
      ],
      shortVoicemail: ['Prego, parlate.', '{name}, dopo il tono.'],
      prank: ['Come dici, più forte?| È solo la segreteria.| Prego, parla.'],
      ivr: [
        'Ha chiamato {firm}.| Gli operatori sono occupati.| Rimanga in linea per favore.',
        'Mi spieghi in poche parole il motivo della chiamata.',
      ],
      carrier: [
        'Non è possibile inoltrare la chiamata.',
        'L’utenza non è attiva.| Verifichi di aver composto correttamente.',
      ],
      screener: ['Prima di passare la telefonata,| registri il suo nome dopo il tono.'],
    },
  },
};
