import type { Language } from './script-texts.ts';

export const ENGLISH: Language = {
  accents: {
    train: ['en-us', 'en-gb', 'en-gb-x-gbclan'],
    test: ['en-us', 'en-gb-x-rp', 'en-gb-scotland', 'en-029'],
  },
  names: {
    train: ['Emma Carter', 'Tom Wilson', 'Priya Shah', 'Mark Evans', 'Julia Stone'],
    test: ['Olivia Reed', 'Sam Porter', 'Anita Rao', 'Greg Hall', 'Laura Quinn'],
  },
  firms: {
    train: ['Carter Plumbing', 'Northside Dental', 'Green and Partners', 'Blue River Motors'],
    test: ['Hillview Insurance', 'Lakeside Clinic', 'Moore Brothers', 'Silver Oak Bank'],
  },
  sayings: {
    train: {
      opener: [
        'Hello?',
        'Hello',
        'Hi',
        'Yes?',
        'Yeah?',
        'Hi there',
        'Good morning',
        'Hello, who is this?',
        'Hi, this is {name}',
        'Hello, {name} speaking',
        '{name}',
        'Yes, hello?',
        'Hello,| hello?',
        'Hey, what is up?',
      ],
      business: [
        '{firm}, good morning',
        '{firm}, this is {name}',
        'Good afternoon, {firm}',
        'Hello, {firm}, how can I help?',
        '{firm}, {name} speaking',
      ],
      longBusiness: [
        'Good morning, thank you for calling {firm}, this is {name} speaking, how may I help you today?',
        'Hello and thanks for calling {firm}, my name is {name}, what can I do for you this morning?',
      ],
      followUp: ['Hello?', 'Hello? Anybody there?', 'Who is this?', 'I cannot hear you'],
      voicemail: [
        'Hi, you have reached {name}.| I cannot come to the phone right now.| Please leave your name and number after the tone and I will call you back.',
        'You have reached the voicemail of {name}.| Please leave a message after the beep.',
        'Hello, this is {name}.| I am away from my desk at the moment,| so please leave a message and I will get back to you as soon as possible.| Thank you.',
        'The person you have called is not available.| At the tone, please record your message.| When you have finished recording, you may hang up, or press one for more options.',
        'Hey, it is {name}, I cannot talk right now.| You know what to do.| Leave it after the beep.',
        'Thank you for calling {firm}.| Our office is closed at the moment.| Our hours are Monday to Friday, nine to five.| Please leave a message after the tone.',
        'Welcome to the voicemail service.| You are calling {digits}.| Nobody is able to take your call.| Please speak after the signal.',
      ],
      shortVoicemail: [
        'Leave a message after the tone.',
        'This is {name}, leave a message.',
        'Please record your message.',
      ],
      prank: [
        'Ha, fooled you,| I am not here.| Leave a message after the beep.',
        'Just kidding, this is my voicemail.| Talk after the beep.',
      ],
      ivr: [
        'Thank you for calling {firm}.| For sales, press one.| For service, press two.| To hear these options again, press nine.',
        'Welcome to {firm}.| Your call may be recorded for training purposes.| Please choose from the following options.',
        'Please enter your account number followed by the hash key.',
      ],
      carrier: [
        'The number you have dialled is not in service.| Please check the number and try again.',
        'The mobile you are calling is switched off.| Please try again later.',
      ],
      screener: [
        'Hi, the person you are calling is using a screening service.| Please say your name and why you are calling.',
        'Please state your name after the tone,| and I will see if this person is available.',
      ],
    },
    test: {
      opener: [
        'Hello, good evening?',
        'Hiya',
        'Yep?',
        'Hello there',
        'Speaking',
        'Good afternoon',
        'Yes, who is calling?',
        '{name} here',
        'Hello, it is {name}',
        'This is {name}',
        'Hi, yes?',
        'Um, hello?',
        'Evening',
        'Hello, can I help you?',
      ],
      business: [
        'Good day, {firm}',
        '{firm}, {name}, hello',
        'You are through to {firm}',
        'Hi, {firm}, {name} here',
        '{firm} reception',
      ],
      longBusiness: [
        'Welcome to {firm}, you are speaking with {name}, may I ask who is calling and how I can direct you?',
        'Good afternoon and thank you for holding, this is {name} at {firm}, what can I help you with?',
      ],
      followUp: [
        'Is anyone there?',
        'Hello, are you there?',
        'Who am I speaking to?',
        'Can you hear me?',
      ],
      voicemail: [
        'Sorry I missed your call, this is {name}.| Tell me who you are and what it is about| and I will ring you back when I can.',
        'Your call has been forwarded to an automated voice message system.| {digits} is not available.| At the beep, please record your message.',
        '{name} here.| I am either on another line or out of the office today.| For anything urgent please send me an email,| otherwise leave me a few words.',
        'Hello, we are not at home just now.| If you would like to speak to us,| leave your number and a good time to call.| Goodbye.',
        'Thanks for ringing {firm}.| All our advisers have gone home for the day.| Say your name, number and reference after the signal.',
        'This mailbox belongs to {name}.| The customer cannot answer.| You can leave a voice message that will be charged at the usual rate.',
        'What is up, {name} here, sort of.| I am busy, so text me,| or do the old thing and talk to the machine.',
      ],
      shortVoicemail: [
        'Speak after the signal.',
        '{name}, after the beep please.',
        'Not here, leave word.',
      ],
      prank: [
        'Sorry, I cannot hear you,| because this is a recording.| Leave your message now.',
        'Gotcha.| I am out,| say something after the tone.',
      ],
      ivr: [
        'You have called {firm}.| If you know your extension, dial it now.| For accounts, say accounts.| For everything else, stay on the line.',
        'All of our agents are busy.| You are number {digits} in the queue.| Thank you for your patience.',
        'To confirm your appointment press one,| to change it press two.',
      ],
      carrier: [
        'We are sorry, your call cannot be completed as dialled.| This is a recording.',
        'The subscriber cannot be reached at present.| Your call will not be charged.',
      ],
      screener: [
        'Hello, this call is being screened by an assistant.| Go ahead and tell me what you are calling about.',
        'Before I connect you,| record your name at the sound of the tone.',
      ],
    },
  },
};
