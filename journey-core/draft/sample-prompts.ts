/** Six texts to begin with: each becomes a draft in which only assets are still to be connected. */

export interface SamplePrompt {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

export const SAMPLE_PROMPTS: readonly SamplePrompt[] = [
  {
    id: 'confirmDelivery',
    title: 'Confirm a delivery',
    text:
      'Every day at 9:00, call everyone in the segment "delivery tomorrow" to confirm the delivery. ' +
      'If they say reschedule, create a task for planning to plan another day, due in 4 hours. ' +
      'If the disposition is "Call back", wait two hours and call again. ' +
      'If they do not answer, send an e-mail about the delivery. ' +
      'Stop if the delivery is cancelled. The goal is that 60% confirm the delivery.',
  },
  {
    id: 'remindOfAppointment',
    title: 'Remind of an appointment',
    text:
      'When an appointment is booked, call them the day before the appointment about the appointment reminder, within 10 hours. ' +
      'If they answer, stop. If they do not pick up, call again after 3 hours, at most twice. ' +
      'If they still do not answer, send an SMS about the appointment. ' +
      'Stop if the appointment is cancelled. People may enter again.',
  },
  {
    id: 'collectPayment',
    title: 'Remind of an invoice',
    text:
      'When an invoice is overdue and the amount is at least 50, send an e-mail about the open invoice. ' +
      'Five days later, call them about the open invoice. ' +
      'If the disposition is "Promise to pay", wait two weeks. ' +
      'If the disposition is "Disputed", create a task for billing to look into the dispute. ' +
      'Otherwise create a task to send a second reminder by post. ' +
      'Stop if the invoice is paid. People may enter again after 30 days.',
  },
  {
    id: 'winBack',
    title: 'Win customers back',
    text:
      'For everyone in the segment "lapsed customers", once, at most 60 people per hour on weekdays. ' +
      '10% of them: do nothing. The rest: test a call about an offer against an e-mail about an offer. ' +
      'The goal is that 5% place an order. Stop if they place an order.',
  },
  {
    id: 'welcome',
    title: 'Welcome new customers',
    text:
      'As soon as somebody joins the segment "new customers", send a welcome e-mail. ' +
      'If they open it within 3 days, do nothing. Otherwise call them to welcome them. ' +
      'If nobody answers, ask the onboarding team to call them back. ' +
      'Leave out members of the segment "staff".',
  },
  {
    id: 'askAfterService',
    title: 'Ask after a service',
    text:
      'Two days after a service visit is completed, call them about the service survey. ' +
      'If the result is answering machine or they are not reached, try again every day, up to 3 times. ' +
      'If they say unhappy, ask a representative from the care team to apologise. ' +
      'If the call is blocked, send an e-mail about the service survey. ' +
      'Use the time zone Europe/Amsterdam.',
  },
];
