"""The vocabulary of the seeded account. All people and shops are invented; addresses are under example.com."""

FIRST = ("Ana Bruno Chloé Dmitri Elif Farah Göran Hana Ivo Jana Kofi Léa Mateo Noor Olga Pàu Quinn Rosa Seán Tuva "
         "Uma Vít Wen Ximena Yuki Zoë Łukasz Þóra Amélie Björn").split()
LAST = ("Almeida Bauer Costa Dubois Eriksen Fischer García Haddad Ivanova Jensen Kowalski Lefèvre Müller Nakamura "
        "O'Brien Petrov Quispe Rossi Şahin Tanaka Ueda Vargas Weber Xu Yılmaz Zhang D'Angelo Ngô Sørensen Ødegård").split()
AGENTS = ("Ana Agent", "Bilal Haddad", "Carla Rossi", "Dev Patel", "Emma Lind", "Felix Braun", "Grace Okoye", "Hugo Marin",
          "Iris Blum", "Jonas Vik", "Kaia Moe", "Liam Byrne")
LANGUAGES = (("en", "Europe/London", "GB", "London"), ("en", "US/Pacific", "US", "Portland"), ("de", "Europe/Berlin", "DE", "Köln"),
             ("fr", "Europe/Paris", "FR", "Besançon"), ("es", "Europe/Madrid", "ES", "Málaga"), ("no", "Europe/Oslo", "NO", "Tromsø"))

# channel, via, share in percent, minutes to the first response (median)
CHANNELS = (("email", "email", 44, 140), ("chat", "gorgias_chat", 22, 2), ("contact_form", "contact_form", 9, 170),
            ("phone", "phone", 6, 0.5), ("sms", "sms", 4, 15), ("instagram-direct-message", "instagram", 4, 55),
            ("facebook-messenger", "facebook", 4, 50), ("whatsapp", "whatsapp", 4, 20), ("help-center", "self_service", 2, 200),
            ("api", "api", 1, 300))

# tag, contact reason, intent, subject, what the customer writes, what the agent answers
TOPICS = (
    ("shipping", "Shipping::Late", "shipping/status", "Where is my order #{order}?",
     "My parcel was due last week and the tracking page has not moved for days. Can you look into it?",
     "I am sorry for the wait. The carrier tells us that it is out for delivery; you will have it tomorrow."),
    ("return", "Return::Wrong size", "return/request", "Return of order #{order}",
     "The jacket is too small. How do I send it back, and can I have it in L instead?",
     "Of course. Here is your return label; the exchange leaves our warehouse as soon as yours is scanned."),
    ("refund", "Refund::Status", "refund/request", "Refund for #{order}",
     "I sent everything back two weeks ago and still see no refund on my card.",
     "The refund was issued today. Banks take three to five working days to show it."),
    ("damaged", "Product::Damaged", "product/damaged", "Broken on arrival: #{order}",
     "One of the two cups came in pieces. I attach a picture.",
     "That should not happen, and thank you for the picture. A replacement is on its way."),
    ("cancel", "Order::Cancel", "order/cancel", "Please cancel #{order}",
     "I ordered twice by mistake. Please cancel the second one.",
     "Done: the second order is cancelled and you are not charged for it."),
    ("question", "Product::Question", "product/question", "A question before I buy",
     "Is the blue one back in stock soon, and is it machine-washable?",
     "It is back on Thursday, and yes, at 30 °C."),
    ("discount", "Order::Discount", "discount/request", "The code does not work",
     "WELCOME10 is refused at checkout, although it says valid until the end of the month.",
     "The code had a hiccup. I have applied the 10 % to your order myself."),
)
TAGS = ("shipping", "return", "refund", "damaged", "cancel", "question", "discount", "urgent", "VIP ⭐", "wholesale",
        "auto-close", "non-support-related", "Urgent", "Rücksendung", "à relancer")
SCORES = {1: 6, 2: 4, 3: 9, 4: 24, 5: 57}
COMMENTS = {1: "Nobody answered for days.", 2: "It took too long.", 3: "Fine in the end.", 4: "Quick and friendly, thank you!",
            5: "Great support, very helpful! 🙌"}
TEAMS = ("Warehouse 📦", "Tier 2", "Returns", "Social", "Billing", "Night shift 🌙")
INTEGRATIONS = ("email", "gmail", "gorgias_chat", "shopify", "http", "phone", "instagram", "klaviyo", "recharge", "http")
