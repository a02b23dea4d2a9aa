import { useTexts } from "../../texts";
import { ConnectedCard } from "./ConnectedCard";
import { Hints } from "./Hints";
import { IdentityFields } from "./IdentityFields";
import { MethodFields, PersonFields } from "./MethodFields";
import { isPerson, type Proof, withMethod } from "./proof";
import "./texts";

interface Props {
  service: string;
  /** The kind whose words tell that it is connected. */
  kind: string;
  /** The methods that there are; all of the service when absent. */
  only?: readonly string[] | undefined;
  proof: Proof;
  onProof: (change: Partial<Proof>) => void;
  /** As whom it goes on already. */
  account: string | undefined;
  /** Throws away the sign-in that there is. */
  onDifferent: () => void;
  /** Say what is missing, also where nothing was typed yet. */
  strict: boolean;
  /** A name beside the token. */
  withUser?: boolean;
}

/** As whom: the method, what it needs, and who has signed in already. */
export function ProofFields({ service, kind, only, proof, onProof, account, onDifferent, strict, withUser = false }: Props) {
  const t = useTexts("connect");
  const { identity, flow, app } = proof;
  const person = isPerson(proof);
  return (
    <>
      <MethodFields service={service} only={only} method={identity.method} onChange={(method) => onProof(withMethod(proof, method))} />
      {person && account === undefined && (
        <>
          <PersonFields
            service={service}
            flow={flow}
            onFlow={(value) => onProof({ flow: value })}
            app={app}
            onApp={(change) => onProof({ app: { ...app, ...change } })}
          />
          {/* Before a window opens, they stand in the dialog that asks for it. */}
          {flow === "device-code" && <Hints service={service} abouts={["personal-account", "consent"]} />}
        </>
      )}
      {!person && (
        <IdentityFields
          identity={identity}
          onChange={(change) => onProof({ identity: { ...identity, ...change } })}
          strict={strict}
          withUser={withUser}
        />
      )}
      {account !== undefined && <ConnectedCard title={t(`kind.${kind}.done`)} account={account} person={person} onDifferent={onDifferent} />}
    </>
  );
}
