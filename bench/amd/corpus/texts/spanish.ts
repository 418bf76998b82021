import type { Language } from './script-texts.ts';

export const SPANISH: Language = {
  accents: { train: ['es'], test: ['es-419', 'es'] },
  names: {
    train: ['Carmen Ruiz', 'José García', 'Lucía Torres', 'Pablo Núñez'],
    test: ['Elena Vidal', 'Andrés Molina', 'Marta Gil', 'Sergio Campos'],
  },
  firms: {
    train: ['Talleres Ruiz', 'Clínica del Sol', 'Seguros Atlántico'],
    test: ['Viajes Horizonte', 'Banco del Norte', 'Gestoría Molina'],
  },
  sayings: {
    train: {
      opener: [
        '¿Hola?',
        '¿Sí?',
        '¿Diga?',
        'Hola, buenos días',
        '¿Quién es?',
        'Sí, dígame',
        'Hola, soy {name}',
        '{name}, dígame',
        '¿Bueno?',
      ],
      business: [
        '{firm}, buenos días',
        '{firm}, le atiende {name}',
        'Buenas tardes, {firm}, dígame',
      ],
      longBusiness: [
        'Buenos días, gracias por llamar a {firm}, le atiende {name}, ¿en qué le puedo ayudar?',
      ],
      followUp: ['¿Hola? ¿Hay alguien?', '¿Hola?', 'No se oye nada'],
      voicemail: [
        'Hola, soy {name}.| Ahora no puedo atenderte.| Deja tu mensaje después de la señal y te llamaré.',
        'El teléfono al que llama está apagado o fuera de cobertura.| Puede dejar un mensaje después de oír la señal.',
        'Este es el buzón de voz de {name}.| Por favor, deje su nombre y su número.| Muchas gracias.',
        'Gracias por llamar a {firm}.| En este momento nuestras oficinas están cerradas.| Deje su mensaje y le responderemos.',
        'Bienvenido al buzón de voz.| El número {digits} no contesta.| Grabe su mensaje.',
      ],
      shortVoicemail: ['Deje su mensaje.', 'Soy {name}, deja un mensaje.'],
      prank: ['Te lo has creído.| No estoy en casa.| Deja tu mensaje.'],
      ivr: [
        'Bienvenido a {firm}.| Para ventas, marque uno.| Para averías, marque dos.| Para hablar con un agente, espere.',
        'Introduzca su número de cliente y pulse almohadilla.',
      ],
      carrier: [
        'El número marcado no existe.| Por favor, compruebe el número.',
        'La línea está ocupada.| Inténtelo más tarde.',
      ],
      screener: ['La persona a la que llama filtra sus llamadas.| Diga su nombre y el motivo.'],
    },
    test: {
      opener: [
        'Aló',
        '¿Dígame?',
        'Buenas',
        '¿Sí, hola?',
        'Hola, ¿quién llama?',
        'Al habla {name}',
        'Hola, aquí {name}',
        'Mande',
        'Buenas noches',
      ],
      business: [
        'Buenos días, está hablando con {firm}',
        '{firm}, habla {name}',
        '{firm}, ¿dígame?',
      ],
      longBusiness: [
        'Muy buenas tardes, ha llamado usted a {firm}, mi nombre es {name}, ¿con quién tengo el gusto?',
      ],
      followUp: ['¿Me oye?', '¿Quién llama, por favor?', 'Oiga, ¿hay alguien ahí?'],
      voicemail: [
        'Has llamado a {name}.| Estoy reunido o conduciendo.| Cuéntame lo que quieras cuando suene el pitido.',
        'La persona con la que quiere hablar no está disponible.| Si lo desea, grabe un mensaje al escuchar el tono.',
        'No estamos en casa.| Dinos quién eres y a qué hora te podemos llamar.| Hasta luego.',
        'Contestador automático de {firm}.| Nuestro horario es de nueve a dos.| Deje su recado y su teléfono.',
        'Su llamada ha sido transferida al buzón del {digits}.| Hable después del tono.',
      ],
      shortVoicemail: ['Hable después del tono.', 'Aquí {name}, déjame un recado.'],
      prank: ['No, no te oigo,| porque esto es un contestador.| Habla después del pitido.'],
      ivr: [
        'Ha llamado a {firm}.| Todos nuestros agentes están ocupados.| Permanezca a la espera.',
        'Si llama por una factura, diga factura.| Si no, diga otra cosa.',
      ],
      carrier: [
        'Lo sentimos, en este momento no es posible completar su llamada.',
        'El abonado no puede recibir llamadas.| Llame más tarde, gracias.',
      ],
      screener: ['Antes de pasarle la llamada,| grabe su nombre después de la señal.'],
    },
  },
};
