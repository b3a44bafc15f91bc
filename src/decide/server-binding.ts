/** Whether what a ServerBinding holds is there. */

export interface ObservedBinding {
  /** There is a Server of the binding's name. */
  readonly hasServer: boolean;
}

export function decideServerBinding({ hasServer }: ObservedBinding): { status: { ready: boolean } } {
  return { status: { ready: hasServer } };
}
