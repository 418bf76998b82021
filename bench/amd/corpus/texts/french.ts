import type { Language } from './script-texts.ts';

export const FRENCH: Language = {
  accents: { train: ['fr-fr', 'fr-be'], test: ['fr-ch', 'fr-fr'] },
  names: {
    train: ['Claire Dubois', 'Luc Martin', 'Sophie Bernard', 'Hugo Petit'],
    test: ['Manon Girard', 'Paul Mercier', 'Inès Fabre', 'Alain Roche'],
  },
  firms: {
    train: ['Garage Martin', 'Cabinet Dubois', 'Assurances du Centre'],
    test: ['Clinique des Lilas', 'Transports Mercier', 'Banque Rivage'],
  },
  sayings: {
    train: {
      opener: [
        'Allô ?',
        'Oui allô ?',
        'Bonjour',
        'Oui ?',
        'Allô, bonjour',
        '{name}, bonjour',
        'Oui, {name} à l’appareil',
        'Allô, qui est-ce ?',
      ],
      business: ['{firm}, bonjour', '{firm}, {name}, bonjour', 'Bonjour, {firm}, je vous écoute'],
      longBusiness: [
        '{firm}, bonjour, {name} à votre écoute, que puis-je faire pour vous aujourd’hui ?',
      ],
      followUp: ['Allô ?', 'Allô, il y a quelqu’un ?', 'Je ne vous entends pas'],
      voicemail: [
        'Bonjour, vous êtes bien sur la messagerie de {name}.| Je ne suis pas disponible.| Laissez-moi un message après le bip et je vous rappellerai.',
        'Bonjour, votre correspondant n’est pas disponible.| Veuillez laisser un message après le signal sonore.',
        'Vous êtes sur le répondeur de {firm}.| Nos bureaux sont fermés.| Merci de laisser vos coordonnées.',
        'C’est {name}.| Je ne peux pas répondre.| Laissez un message, merci, au revoir.',
        'Messagerie vocale.| Le {digits} ne répond pas.| Parlez après le bip.',
      ],
      shortVoicemail: ['Laissez un message.', 'C’est {name}, parlez après le bip.'],
      prank: ['Je t’ai eu.| Ce n’est que mon répondeur.| Parle après le bip.'],
      ivr: [
        'Bienvenue chez {firm}.| Pour le service commercial, tapez un.| Pour le service technique, tapez deux.',
        'Veuillez saisir votre numéro de client puis la touche dièse.',
      ],
      carrier: [
        'Le numéro que vous avez demandé n’est pas attribué.| Veuillez consulter l’annuaire.',
        'Votre correspondant est injoignable.| Rappelez plus tard.',
      ],
      screener: [
        'La personne que vous appelez filtre ses appels.| Dites votre nom et la raison de votre appel.',
      ],
    },
    test: {
      opener: [
        'Ouais, allô',
        'Bonsoir',
        'Oui, bonjour',
        'Allô, j’écoute',
        'Ici {name}',
        'Oui, c’est {name}',
        'Qui est à l’appareil ?',
        'Oui, dites-moi',
      ],
      business: [
        'Bonjour, vous êtes chez {firm}',
        '{name}, {firm}, j’écoute',
        'Accueil {firm}, bonjour',
      ],
      longBusiness: [
        'Bonjour et merci d’avoir appelé {firm}, vous êtes en ligne avec {name}, en quoi puis-je vous être utile ?',
      ],
      followUp: ['Vous m’entendez ?', 'Qui est là ?', 'Parlez plus fort, s’il vous plaît'],
      voicemail: [
        'Vous avez essayé de joindre {name}.| Je suis en réunion ou sur la route.| Dites-moi tout, je reviens vers vous très vite.',
        'La personne que vous cherchez à joindre est absente.| Enregistrez votre message au top sonore, puis raccrochez.',
        'Nous sommes sortis.| Donnez votre nom, votre numéro et l’heure de votre appel.| À bientôt.',
        'Le standard de {firm} est ouvert du lundi au vendredi.| En dehors de ces horaires, déposez un message.',
        'Votre appel au {digits} a été transféré vers une boîte vocale.| À vous.',
      ],
      shortVoicemail: ['À vous de parler.', '{name}, un message, merci.'],
      prank: ['Comment ? Plus fort ?| Non, c’est une blague, je suis absent.| À vous.'],
      ivr: [
        'Vous avez appelé {firm}.| Tous nos conseillers sont en ligne.| Merci de patienter.',
        'Dites en quelques mots le motif de votre appel.',
      ],
      carrier: [
        'Par suite d’encombrements, votre appel ne peut aboutir.',
        'Le numéro composé n’est plus en service.| Merci de votre compréhension.',
      ],
      screener: ['Avant de vous mettre en relation,| annoncez votre nom après le signal.'],
    },
  },
};
