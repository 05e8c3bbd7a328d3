"""What people type who look for a setting, beside the words on its page: other names for it, in either language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/settings/company": (
            "legal form address SIRET SIREN VAT TVA tax identity société entreprise coordonnées adresse"
        ),
        "/settings/general": "brand logo icon name title theme colour color marque nom couleur thème image apparence",
        "/settings/currencies": (
            "currency money euro dollar exchange conversion rates devises monnaies taux change cours"
        ),
        "/settings/fields": (
            "fields custom columns attributes properties add text long number whole integer decimal amount money "
            "date time datetime list dropdown select multiple choice checkbox boolean yes no web address link url "
            "e-mail email phone reference relation another record file upload attachment formula computed "
            "calculated required unique default index champs personnalisés colonnes ajouter texte nombre entier "
            "décimal montant heure liste déroulante choix multiple case à cocher oui non adresse web lien "
            "téléphone autre fiche fichier pièce jointe formule calculé obligatoire défaut"
        ),
        "/settings/lists": (
            "lists values options dropdown statuses sources priorities contact types temperature categories "
            "reasons colours listes valeurs statuts priorités types température catégories motifs couleurs"
        ),
        "/settings/lists/crm.tag": "labels keywords étiquettes mots-clés",
        "/settings/pipelines": (
            "pipelines stages funnel steps probability rotting won lost kanban board colour entonnoir étapes "
            "probabilité gagné perdu tableau"
        ),
        "/settings/users": (
            "people members accounts logins invite invitation password passwords reset sign-in sessions language "
            "time zone deactivate personnes membres comptes utilisateurs inviter mots de passe réinitialiser "
            "connexion langue fuseau désactiver"
        ),
        "/settings/teams": "groups departments managers groupes services responsables équipes",
        "/settings/roles": (
            "roles rights permissions access security grants hidden fields rôles droits autorisations accès "
            "sécurité champs masqués"
        ),
        "/settings/plugins": (
            "plugins modules extensions apps add-ons features enable disable greffons activer désactiver "
            "applications fonctions"
        ),
        "/settings/templates": "templates mails e-mail texts letters modèles courriels textes messages",
        "/settings/mails": "mails e-mail emails sent smtp outbox delivery courriels envoyés envois messagerie",
        "/settings/webhooks": "webhooks api integrations zapier make n8n events intégrations événements",
        "/settings/incoming": "webhooks api inbound forms integrations entrants formulaire web intégrations réception",
        "/settings/jobs": "jobs tasks queue background schedules cron tâches file planification arrière-plan horaires",
        "/settings/backups": "backups restore save copy sauvegardes restaurer restauration copie",
        "/trash": "trash bin deleted restore undelete recover corbeille supprimés restaurer récupérer",
    }
)  # fmt: skip
