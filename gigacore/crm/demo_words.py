"""The names and sentences of the demo, in French and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gigacore.values import dataclass

Place = tuple[str, str, str]
"""City, postal code, country."""
Trade = tuple[str, str]
"""A company's name with `{}` for a family name, and its key in the list of industries."""


@dataclass(frozen=True, slots=True)
class Words:
    """Everything in one language that the demo is made of."""

    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]
    places: tuple[Place, ...]
    streets: tuple[str, ...]
    trades: tuple[Trade, ...]
    jobs: tuple[str, ...]
    tags: tuple[str, ...]
    teams: tuple[str, str]
    company: Mapping[str, str]
    deals: tuple[str, ...]
    calls: tuple[str, ...]
    mails: tuple[str, ...]
    meetings: tuple[str, ...]
    remarks: tuple[str, ...]
    tasks: tuple[tuple[str, str], ...]
    needs: tuple[str, ...]
    phone: str
    domain: str


FRENCH: Final = Words(
    women=(
        "Camille", "Léa", "Chloé", "Manon", "Inès", "Élodie", "Amélie", "Sophie", "Nathalie", "Isabelle", "Aurélie",
        "Céline", "Fatima", "Agnès", "Noémie", "Marguerite", "Zoé", "Hélène", "Sandrine", "Maëlle",
    ),
    men=(
        "Julien", "Thomas", "Nicolas", "François", "Jérôme", "Rémi", "Olivier", "Mehdi", "Benoît", "Théo", "Hugo",
        "Mathieu", "Stéphane", "Gaël", "Loïc", "Étienne", "Antoine", "Raphaël", "Yann", "Cédric",
    ),
    families=(
        "Martin", "Bernard", "Dubois", "Robert", "Petit", "Durand", "Leroy", "Moreau", "Lefèvre", "Garnier", "Faure",
        "Rousseau", "Blanchard", "Guérin", "Müller", "Chevalier", "Perrin", "Gauthier", "Benali", "Legrand", "Noël",
        "Dupuis", "Carpentier", "Le Goff", "Vasseur", "Hébert", "Pélissier", "Besson", "Lemaître", "Da Silva",
    ),
    places=(
        ("Paris", "75011", "France"), ("Lyon", "69003", "France"), ("Nantes", "44000", "France"),
        ("Lille", "59800", "France"), ("Bordeaux", "33000", "France"), ("Rennes", "35000", "France"),
        ("Strasbourg", "67000", "France"), ("Toulouse", "31000", "France"), ("Saint-Étienne", "42000", "France"),
        ("Besançon", "25000", "France"), ("Genève", "1201", "Suisse"), ("Bruxelles", "1000", "Belgique"),
    ),
    streets=(
        "rue de la République", "avenue Jean-Jaurès", "rue Victor-Hugo", "boulevard Gambetta", "place du Marché",
        "rue des Lilas", "quai de la Gare", "chemin des Vignes", "rue Pasteur", "impasse du Moulin",
    ),
    trades=(
        ("Boulangerie {}", "trade"), ("Cabinet {} & Associés", "services"), ("Garage {}", "transport"),
        ("Menuiserie {}", "construction"), ("Ateliers {}", "industry"), ("Transports {}", "transport"),
        ("Clinique {}", "health"), ("{} Conseil", "services"), ("{} Numérique", "technology"),
        ("Hôtel {}", "hospitality"), ("Imprimerie {}", "industry"), ("École {}", "education"),
        ("Assurances {}", "finance"), ("{} Énergies", "industry"), ("Domaine {}", "trade"),
        ("Pharmacie {}", "health"), ("{} Logiciels", "technology"), ("Maçonnerie {}", "construction"),
    ),
    jobs=(
        "Gérante", "Directeur général", "Responsable des achats", "Directrice commerciale", "Assistante de direction",
        "Chef de projet", "Comptable", "Responsable informatique", "Directrice marketing", "Technicien",
    ),
    tags=("Salon 2026", "Grand compte", "Partenaire potentiel", "Newsletter", "Priorité région"),
    teams=("Équipe Nord", "Équipe Sud"),
    company={
        "name": "Horizon Conseil", "legal_form": "SAS au capital de 50 000 €", "street": "18 quai des Célestins",
        "postcode": "69002", "city": "Lyon", "country": "FR", "phone": "+33 4 65 71 00 00",
        "email": "contact@horizon.example", "website": "https://horizon.example",
    },
    deals=(
        "Refonte du site web", "Contrat de maintenance", "Équipement des ateliers", "Formation des équipes",
        "Licences pour trois ans", "Audit énergétique", "Migration vers le nuage", "Accompagnement au changement",
        "Renouvellement du parc", "Pilote sur un site",
    ),
    calls=(
        "Premier échange : le projet est prévu ce semestre", "Rappelé après l’envoi du devis",
        "Demande un délai de réflexion", "Souhaite une démonstration", "Confirme le budget",
        "Pas joignable, message laissé",
    ),
    mails=("Envoi de la documentation", "Réponse à ses questions sur les prix", "Relance après le salon"),
    meetings=("Visite des locaux", "Démonstration du produit", "Point avec la direction"),
    remarks=(
        "Préfère être appelée le matin.", "Travaille avec un concurrent jusqu’en juin.",
        "Décision prise par le comité de direction.", "Recommandé par un client de longue date.",
    ),
    tasks=(
        ("Rappeler pour confirmer le rendez-vous", "call"), ("Envoyer la proposition", "email"),
        ("Préparer la démonstration", "meeting"), ("Relancer le devis", "follow_up"),
        ("Vérifier l’adresse de facturation", "other"), ("Demander une référence client", "email"),
    ),
    needs=(
        "Cherche à remplacer son outil actuel avant la fin de l’année.",
        "Trois sites à équiper, décision au printemps.",
        "A téléchargé la brochure et demande un tarif.", "Rencontré au salon, intéressé par la version complète.",
    ),
    phone="+33 {} {} {} {} {}",
    domain="fr.example",
)  # fmt: skip

ENGLISH: Final = Words(
    women=(
        "Alice", "Emma", "Olivia", "Grace", "Hannah", "Chloe", "Priya", "Sarah", "Laura", "Megan", "Rachel", "Amara",
        "Zoë", "Helen", "Julia", "Nora", "Beth", "Charlotte", "Ruth", "Siobhán",
    ),
    men=(
        "James", "Oliver", "Daniel", "Samuel", "Harry", "Liam", "Peter", "Omar", "Ben", "Thomas", "George", "Marcus",
        "Stephen", "Callum", "Rory", "Edward", "Anthony", "Ravi", "Owen", "Conor",
    ),
    families=(
        "Smith", "Jones", "Taylor", "Brown", "Wilson", "Evans", "Walker", "Wright", "Green", "Hall", "Wood", "Clarke",
        "Patel", "Jackson", "Lewis", "Harris", "Cooper", "King", "O’Brien", "Murphy", "Kelly", "Morgan", "Bennett",
        "Shaw", "Gallagher", "Fraser", "Núñez", "Okafor", "Schneider", "Holloway",
    ),
    places=(
        ("London", "EC1A 1BB", "United Kingdom"), ("Bristol", "BS1 4DJ", "United Kingdom"),
        ("Leeds", "LS1 4AP", "United Kingdom"), ("Edinburgh", "EH1 1YZ", "United Kingdom"),
        ("Cardiff", "CF10 1EP", "United Kingdom"), ("Dublin", "D02 X285", "Ireland"), ("Cork", "T12 W8KP", "Ireland"),
        ("Boston", "02108", "United States"), ("Chicago", "60601", "United States"), ("Zürich", "8001", "Switzerland"),
        ("Norwich", "NR1 3JU", "United Kingdom"), ("Manchester", "M1 1AE", "United Kingdom"),
    ),
    streets=(
        "High Street", "Station Road", "Church Lane", "Victoria Road", "Mill Lane", "Kings Avenue", "Park View",
        "Queen Street", "Harbour Road", "The Green",
    ),
    trades=(
        ("{} Bakery", "trade"), ("{} & Partners", "services"), ("{} Motors", "transport"),
        ("{} Joinery", "construction"),
        ("{} Works", "industry"), ("{} Freight", "transport"), ("{} Clinic", "health"), ("{} Consulting", "services"),
        ("{} Digital", "technology"), ("The {} Hotel", "hospitality"), ("{} Printing", "industry"),
        ("{} School", "education"), ("{} Insurance", "finance"), ("{} Energy", "industry"), ("{} Farms", "trade"),
        ("{} Pharmacy", "health"), ("{} Software", "technology"), ("{} Builders", "construction"),
    ),
    jobs=(
        "Managing director", "Head of purchasing", "Sales director", "Office manager", "Project manager", "Accountant",
        "Head of IT", "Marketing director", "Engineer", "Owner",
    ),
    tags=("Fair 2026", "Key account", "Possible partner", "Newsletter", "Regional priority"),
    teams=("Team North", "Team South"),
    company={
        "name": "Horizon Advice", "legal_form": "Private limited company", "street": "18 Harbour Road",
        "postcode": "BS1 6XN", "city": "Bristol", "country": "GB", "phone": "+44 117 496 0000",
        "email": "hello@horizon.example", "website": "https://horizon.example",
    },
    deals=(
        "New website", "Maintenance contract", "Workshop equipment", "Staff training", "Licences for three years",
        "Energy audit", "Move to the cloud", "Change programme", "Fleet renewal", "Pilot at one site",
    ),
    calls=(
        "First talk: the project is planned for this half year", "Called back after the quote",
        "Needs time to think it over", "Would like a demonstration", "Confirms the budget", "Not in, left a message",
    ),
    mails=("Sent the brochure", "Answered questions about prices", "Follow-up after the fair"),
    meetings=("Visit on site", "Product demonstration", "Meeting with the board"),
    remarks=(
        "Prefers calls in the morning.", "Works with a competitor until June.", "The board decides.",
        "Recommended by a long-standing customer.",
    ),
    tasks=(
        ("Call to confirm the appointment", "call"), ("Send the proposal", "email"),
        ("Prepare the demonstration", "meeting"), ("Follow up on the quote", "follow_up"),
        ("Check the billing address", "other"), ("Ask for a reference", "email"),
    ),
    needs=(
        "Wants to replace the present tool before the end of the year.", "Three sites to equip, decision in spring.",
        "Downloaded the brochure and asks for prices.", "Met at the fair, interested in the full version.",
    ),
    phone="+44 20 {} {} {} {}{}",
    domain="co.example",
)  # fmt: skip


def words(lang: str) -> Words:
    """The words of a language; English unless it is French."""
    return FRENCH if lang == "fr" else ENGLISH
