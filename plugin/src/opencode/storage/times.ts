import { isObject, type Json } from "../client"

/** When a session or message was created, or changed last; 0 if it does not say. */
export const createdAt = ({ time }: Json): number => numberIn(time, "created")
export const updatedAt = ({ time }: Json): number => numberIn(time, "updated")

function numberIn(time: unknown, name: string): number {
  const value = isObject(time) ? time[name] : undefined
  return typeof value === "number" ? value : 0
}
