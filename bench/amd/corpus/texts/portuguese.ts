import type { Language } from './script-texts.ts';

export const PORTUGUESE: Language = {
  accents: { train: ['pt-br'], test: ['pt', 'pt-br'] },
  names: {
    train: ['João Silva', 'Maria Costa', 'Rita Alves', 'Pedro Lima'],
    test: ['Inês Rocha', 'Tiago Moura', 'Sara Pinto', 'Nuno Faria'],
  },
  firms: {
    train: ['Oficina Silva', 'Clínica Central', 'Seguros Lima'],
    test: ['Viagens Moura', 'Banco Atlântico', 'Escola Rocha'],
  },
  sayings: {
    train: {
      opener: [
        'Alô?',
        'Oi',
        'Sim?',
        'Alô, quem fala?',
        'Bom dia',
        'Oi, é {name}',
        '{name} falando',
        'Alô, boa tarde',
      ],
      business: [
        '{firm}, bom dia',
        '{firm}, {name}, boa tarde',
        'Bom dia, {firm}, em que posso ajudar?',
      ],
      longBusiness: [
        'Bom dia, obrigado por ligar para {firm}, meu nome é {name}, como posso ajudar o senhor hoje?',
      ],
      followUp: ['Alô?', 'Alô, tem alguém aí?', 'Não estou ouvindo'],
      voicemail: [
        'Oi, aqui é {name}.| Não posso atender agora.| Deixe seu recado depois do sinal que eu retorno.',
        'Sua chamada está sendo encaminhada para a caixa de mensagens.| Deixe seu recado após o sinal.',
        'Você ligou para {name}.| Por favor, deixe seu nome e telefone.| Obrigado.',
        'Obrigado por ligar para {firm}.| No momento estamos fechados.| Nosso horário é das nove às dezoito.',
        'O número {digits} não atende.| Grave sua mensagem.',
      ],
      shortVoicemail: ['Deixe seu recado.', 'É {name}, fale depois do bip.'],
      prank: ['Te peguei.| Não estou em casa.| Deixe seu recado.'],
      ivr: [
        'Bem-vindo à {firm}.| Para vendas, digite um.| Para suporte, digite dois.',
        'Digite o número do seu contrato e depois a tecla jogo da velha.',
      ],
      carrier: [
        'Este número não existe.| Por favor, verifique e ligue novamente.',
        'O telefone chamado está desligado ou fora da área de cobertura.',
      ],
      screener: [
        'A pessoa que você está chamando usa um assistente.| Diga seu nome e o motivo da ligação.',
      ],
    },
    test: {
      opener: [
        'Estou?',
        'Está lá?',
        'Sim, diga',
        'Boa noite',
        'Quem é?',
        'Fala {name}',
        'Estou sim, {name}',
        'Diga lá',
      ],
      business: ['Daqui {firm}, diga', '{name}, {firm}, boa noite', 'Receção {firm}'],
      longBusiness: [
        'Boa tarde, ligou para {firm} e está a falar com {name}, diga por favor em que lhe posso ser útil',
      ],
      followUp: ['Está a ouvir-me?', 'Quem fala, por favor?', 'Não se ouve nada'],
      voicemail: [
        'Está a ligar para {name}.| De momento estou ocupado.| Diga o que precisa e eu ligo de volta.',
        'O cliente para o qual ligou não está disponível.| Após o tom, grave a sua mensagem e desligue.',
        'Não estamos em casa.| Digam quem são e a que horas podemos ligar.| Até logo.',
        'Ligou para {firm} fora do horário de atendimento.| Indique o seu contacto, por favor.',
        'A chamada para {digits} foi desviada para o correio de voz.| Fale agora.',
      ],
      shortVoicemail: ['Fale após o tom.', '{name}, deixe mensagem.'],
      prank: ['Não ouço nada,| porque isto é uma gravação.| Fale agora.'],
      ivr: [
        'Ligou para {firm}.| Todos os assistentes estão ocupados.| Aguarde um momento.',
        'Explique em poucas palavras o motivo da sua chamada.',
      ],
      carrier: [
        'Não foi possível completar a sua chamada.',
        'O número que marcou não está atribuído.| Consulte as informações.',
      ],
      screener: ['Antes de passar a chamada,| grave o seu nome após o tom.'],
    },
  },
};
