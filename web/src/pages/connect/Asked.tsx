import { AuthorizeDialog } from "./AuthorizeDialog";
import type { Begin, WizardView } from "./data";
import { DeviceCode } from "./DeviceCode";
import { type Proof, withMethod } from "./proof";

interface Props {
  request: Begin;
  organization: string;
  proof: Proof;
  /** Another way than the one that was asked for. */
  onProof: (change: Partial<Proof>) => void;
  onDone: (wizard: WizardView) => void;
  onCancel: () => void;
}

/** The sign-in that a person asked for: a code to enter somewhere, or Microsoft's own page in a window. */
export function Asked({ request, organization, proof, onProof, onDone, onCancel }: Props) {
  return request.flow === "device-code" ? (
    <DeviceCode
      request={request}
      organization={organization}
      onDone={onDone}
      onWindow={() => onProof({ flow: "code" })}
      onOwnApp={() => onProof(withMethod(proof, "certificate"))}
    />
  ) : (
    <AuthorizeDialog request={request} organization={organization} onDone={onDone} onCancel={onCancel} />
  );
}
