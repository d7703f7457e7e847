/** How many schedules a simulation plays: few in the gate of every change, many in `npm test`, which sets SIMULATION_TIMES. */
export function schedules(few: number): number {
  return few * Number(process.env.SIMULATION_TIMES || 1);
}
