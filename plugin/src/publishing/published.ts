/** The document that readers see. */
export interface Published {
  messages: number
  redactions: number
}

/** `12 messages, 3 redactions` */
export const counts = ({ messages, redactions }: Published): string =>
  `${plural(messages, "message")}, ${plural(redactions, "redaction")}`

export const plural = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? "" : "s"}`
