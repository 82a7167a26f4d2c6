//! The words of [`super::hint`]: lower case, without accents.

use super::super::Likeness;

/// Words after which a name is still about the words before them.
pub(super) const QUALIFIERS: &str = "\
    alt alternate business clean cleaned current digest enc encoded encrypted hash hashed hex home int \
    lc lower lowercase md new norm normalised normalized office old other plain primary private raw \
    secondary sha str string text val value work";

/// Things whose `name` is not a person's.
pub(super) const THINGS: &str = "\
    action agent airport app application area article asset attribute bank branch brand browser bucket \
    building campaign catalog category channel city class collection column company component container \
    country course currency database dataset department device display district domain event exchange \
    feature field file folder group host image index item job key language list metric model module \
    organization package page parameter plan platform process product project region role sensor server \
    service shop state store table tag task type";

/// Words for what is numbered `1.2.3.4`.
pub(super) const VERSIONS: &str = "build firmware oid release revision semver ver version";

/// Likenesses and the endings that tell of them, separated by commas.
type Endings = [(Likeness, &'static str)];

/// Endings that are enough by themselves.
pub(super) const SURE: &Endings = &[
    (
        Likeness::Email,
        "email, e mail, email address, e mail address, mail address, email addr, emailaddress, \
         mailadresse, email adresse, e mail adresse, courriel, correo electronico, emails",
    ),
    (
        Likeness::Phone,
        "phone, phones, phone number, phone no, phone num, phonenumber, telephone, telephone number, \
         telefon, telefonnummer, telefono, telefone, msisdn, mobile number, mobile phone, mobile no, \
         cell phone, cellphone, handynummer, rufnummer, telefoonnummer, numero telephone, numero de \
         telephone, numero telefono, numero de telefono",
    ),
    (Likeness::Ip, "ip, ip address, ip addr, ipaddress, ipaddr, ipv4, ipv6, i pv"),
    (Likeness::Iban, "iban"),
    (
        Likeness::Card,
        "card number, cardnumber, card no, card num, credit card, creditcard, credit card number, cc \
         number, cc no, kreditkarte, kreditkartennummer",
    ),
    (Likeness::Ssn, "ssn, social security number, social security no, social security"),
    (Likeness::Dni, "dni, numero dni"),
    (Likeness::Cpf, "cpf"),
    (
        Likeness::GermanTaxId,
        "steuer id, steuerid, steuer idnr, steueridentifikationsnummer, steuernummer",
    ),
    (Likeness::Nino, "national insurance number, ni number, national insurance no"),
    (Likeness::Nir, "securite sociale, numero securite sociale, numero de securite sociale"),
    (Likeness::CodiceFiscale, "codice fiscale, codicefiscale, cod fiscale"),
    (Likeness::Bsn, "bsn, burgerservicenummer, sofinummer"),
    (
        Likeness::NationalId,
        "national id, nationalid, national identifier, national number, passport, passport number, \
         passport no, passportnumber, identity card, identity number, id card number, personal \
         number, personnummer, personalausweis, ausweisnummer, drivers license, driver license, \
         driving licence, license number driver, pesel, aadhaar, curp, tax id, taxid, taxpayer id, \
         nif",
    ),
    (
        Likeness::PersonName,
        "first name, firstname, name first, name last, name given, name family, last name, lastname, surname, family name, familyname, given name, \
         givenname, middle name, middlename, full name, fullname, maiden name, person name, customer \
         name, client name, contact name, patient name, employee name, guest name, passenger name, \
         recipient name, account holder, cardholder, cardholder name, card holder, card holder name, \
         vorname, nachname, familienname, apellido, apellidos, nombre completo, prenom, nom de \
         famille, cognome, nome completo, sobrenome, voornaam, achternaam, fornamn, efternamn, \
         etternavn, fornavn, nazwisko, imie",
    ),
    (
        Likeness::BirthDate,
        "birth date, birthdate, birthday, birth day, date of birth, dob, born on, geburtsdatum, fecha \
         nacimiento, fecha de nacimiento, date naissance, date de naissance, data nascita, data di \
         nascita, data nascimento, data de nascimento, geboortedatum",
    ),
];

/// Endings that mean other things, too.
pub(super) const UNSURE: &Endings = &[
    (Likeness::Email, "mail, email id, correo"),
    (Likeness::Phone, "mobile, cell, tel, fax, handy, celular, movil, whatsapp, mobil, portable"),
    (Likeness::Ip, "remote addr, x forwarded for, forwarded for, client address, remote host"),
    (Likeness::Card, "pan, cc, ccnum, card, tarjeta, carta"),
    (Likeness::Ssn, "social"),
    (Likeness::Dni, "nie"),
    (Likeness::GermanTaxId, "idnr"),
    (Likeness::Nino, "nino"),
    (Likeness::Nir, "nir, insee"),
    (
        Likeness::PersonName,
        "name, names, nome, nombre, nom, naam, namn, navn, fname, lname, sname, nickname, display \
         name, owner, author, sender, recipient, contact, contact person, ansprechpartner",
    ),
];
