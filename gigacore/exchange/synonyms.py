"""What other programs call the things of a CRM, in English and French; all folded: lower case, no accents."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Field name -> further headings. A heading is compared after folding, with separators as single spaces.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "first_name": ("first name", "given name", "forename", "firstname", "prenom"),
        "last_name": ("last name", "surname", "family name", "lastname", "nom de famille", "nom"),
        "name": ("name", "full name", "company name", "account name", "nom", "raison sociale", "denomination"),
        "title": ("title", "subject", "deal name", "opportunity name", "titre", "objet", "intitule", "nom"),
        "subject": ("subject", "title", "objet", "sujet"),
        "job_title": ("job title", "position", "role", "function", "poste", "fonction", "intitule de poste"),
        "company_name": ("company", "company name", "account", "account name", "organization", "organisation",
                         "societe", "entreprise", "raison sociale", "compte"),
        "company_id": ("company", "company name", "account", "account name", "organization", "organisation",
                       "organization name", "employer", "societe", "entreprise", "raison sociale", "compte"),
        "contact_id": ("contact", "contact name", "customer", "client", "nom du contact"),
        "industry": ("industry", "sector", "branch", "secteur", "secteur d activite", "activite"),
        "street": ("street", "address", "street address", "address line 1", "rue", "adresse", "voie"),
        "postal_code": ("postal code", "zip", "zip code", "postcode", "code postal", "cp"),
        "city": ("city", "town", "ville", "commune", "localite"),
        "region": ("region", "state", "province", "county", "departement"),
        "country": ("country", "country name", "pays"),
        "language": ("language", "langue"),
        "currency": ("currency", "currency code", "devise", "monnaie"),
        "employees": ("employees", "number of employees", "headcount", "company size", "size", "effectif",
                      "nombre d employes", "nombre de salaries"),
        "founded": ("founded", "founded in", "founding year", "year founded", "annee de creation", "creation"),
        "source": ("source", "lead source", "origin", "channel", "origine", "provenance", "canal"),
        "status": ("status", "lead status", "deal stage", "stage", "state", "statut", "etat", "etape"),
        "stage": ("stage", "lead stage", "etape"),
        "stage_id": ("stage", "deal stage", "pipeline stage", "etape"),
        "pipeline_id": ("pipeline", "pipeline name"),
        "priority": ("priority", "rating", "priorite"),
        "amount": ("amount", "value", "deal value", "estimated amount", "deal amount", "montant", "valeur",
                   "montant estime"),
        "price": ("price", "unit price", "prix", "prix unitaire"),
        "probability": ("probability", "probabilite"),
        "expected_close": ("expected close", "close date", "closing date", "date de cloture", "echeance"),
        "due_at": ("due", "due date", "due on", "deadline", "echeance", "date d echeance"),
        "tags": ("tags", "tag", "labels", "etiquettes", "mots cles"),
        "description": ("description", "notes", "note", "comments", "comment", "remarks", "about", "commentaire",
                        "commentaires", "remarques"),
        "notes": ("notes", "note", "comments", "comment", "remarks", "commentaire", "commentaires", "remarques"),
        "owner_id": ("owner", "owner name", "assigned to", "assignee", "responsible", "sales rep", "account manager",
                     "proprietaire", "responsable", "commercial", "charge de clientele", "attribue a"),
        "external_id": ("external id", "external number", "external reference", "id externe", "reference externe"),
        "next_action_at": ("next action on", "next action date", "follow up date", "date de relance"),
        "last_contact_at": ("last contact", "last contacted", "dernier contact"),
        "won_reason": ("won reason", "reason won", "raison du gain", "motif du gain"),
        "lost_reason": ("lost reason", "reason lost", "raison de perte", "motif de perte"),
    }
)  # fmt: skip

# Field kind -> headings for "the next field of that kind": `Phone`, `Phone 2`, `Mobile`.
KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "email": ("email", "e mail", "mail", "email address", "e mail address", "courriel", "adresse e mail",
                  "adresse email", "adresse mail", "work email", "second email", "secondary email"),
        "phone": ("phone", "phone number", "telephone", "tel", "mobile", "mobile phone", "cell", "cell phone",
                  "work phone", "home phone", "second phone", "portable", "tel portable", "telephone portable",
                  "tel fixe", "numero de telephone", "gsm"),
        "url": ("website", "web site", "url", "web", "homepage", "web address", "site", "site web", "site internet",
                "linkedin", "linkedin url"),
    }
)  # fmt: skip

IDENTITY_OWNERS: Final = frozenset(
    ["", "account", "customer", "organization", "organisation", "company", "contact", "lead", "client", "record",
     "deal", "opportunity", "person", "user", "internal", "external", "crm", "compte", "societe", "entreprise",
     "prospect", "fiche", "piste", "affaire"]
)  # fmt: skip
IDENTITY_WORDS: Final = frozenset(
    ["id", "identifier", "key", "reference", "ref", "code", "identifiant", "cle", "uid", "guid"]
)
ROW_NUMBERS: Final = frozenset(["index", "#", "no", "nr", "row", "row number", "line", "n", "ligne", "numero de ligne"])

# Heading words that may stand before a field's name: `Lead Owner`, `Contact Email`.
PREFIXES: Final = ("lead", "contact", "account", "company", "customer", "person", "deal", "client", "primary", "work")

# A value of the file -> what it may be in a choice list: keys, or `kind:<kind>`, the first that exists.
VALUES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "closed won": ("kind:won",),
        "won": ("kind:won",),
        "gagne": ("kind:won",),
        "signed": ("kind:won",),
        "converted": ("kind:won",),
        "customer": ("kind:won", "customer"),
        "closed lost": ("kind:lost",),
        "lost": ("kind:lost",),
        "perdu": ("kind:lost",),
        "disqualified": ("kind:lost",),
        "unqualified": ("kind:lost",),
        "not interested": ("kind:lost",),
        "junk": ("kind:lost",),
        "closed": ("kind:closed", "kind:done", "kind:lost"),
        "new lead": ("kind:new", "new"),
        "new": ("kind:new", "new"),
        "open": ("kind:new", "kind:open"),
        "nouveau": ("kind:new", "new"),
        "nouvelle piste": ("kind:new", "new"),
        "attempted to contact": ("contacted", "kind:open"),
        "a contacter": ("to_contact", "kind:open"),
        "contact in future": ("follow_up", "kind:open"),
        "working": ("contacted", "kind:open"),
        "in progress": ("follow_up", "kind:open"),
        "en cours": ("follow_up", "kind:open"),
        "nurturing": ("follow_up", "kind:open"),
        "re engagement": ("follow_up", "kind:open"),
        "relance": ("follow_up", "kind:open"),
        "on hold": ("follow_up", "kind:open"),
        "paused": ("follow_up", "kind:open"),
        "en attente": ("follow_up", "kind:open"),
        "proposal": ("qualified", "kind:qualified", "kind:open"),
        "proposal sent": ("qualified", "kind:qualified", "kind:open"),
        "quote sent": ("qualified", "kind:qualified", "kind:open"),
        "devis envoye": ("qualified", "kind:qualified", "kind:open"),
        "negotiation": ("qualified", "kind:qualified", "kind:open"),
        "negociation": ("qualified", "kind:qualified", "kind:open"),
        "demo scheduled": ("qualified", "kind:qualified", "kind:open"),
        "qualifie": ("qualified", "kind:qualified"),
        "urgent": ("high", "kind:high"),
        "critical": ("high", "kind:high"),
        "medium": ("normal", "kind:normal"),
        "moyenne": ("normal", "kind:normal"),
        "haute": ("high", "kind:high"),
        "basse": ("low", "kind:low"),
    }
)
